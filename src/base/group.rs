//! Processes that belong together: one that was started in a group of its own, with all that it starts.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// Has `command` start in a process group of its own, for [`kill`].
pub fn apart(command: &mut Command) -> &mut Command {
    command.process_group(0)
}

/// Ends a child that was started with [`apart`] and everything in its group, at once, and waits for the child.
pub fn kill(child: &mut Child) {
    if let Ok(id) = i32::try_from(child.id()) {
        // A group that is gone already is what was wanted.
        let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}
