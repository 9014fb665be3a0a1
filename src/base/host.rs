//! What this process costs and where it runs.

use serde::{Deserialize, Serialize};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// Processor time and memory used so far by this process and by the children it has waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// User and system time of this process and its finished children, in seconds.
    pub cpu_seconds: f64,
    /// Largest resident memory of this process or of any one finished child, in bytes.
    pub peak_memory_bytes: u64,
}

/// Reads the counters of the operating system; zeros where it has none.
pub fn usage() -> Usage {
    let mut total = Usage::default();
    for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
        if let Ok(usage) = getrusage(who) {
            let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
            total.cpu_seconds += micros as f64 / 1e6;
            // Linux counts in KiB.
            total.peak_memory_bytes = total.peak_memory_bytes.max(usage.max_rss().max(0) as u64 * 1024);
        }
    }
    total
}

/// Name of the machine, or `unknown`.
pub fn host_name() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| "unknown".to_owned())
}

/// Login name of the user, or the number of the user when it has none.
pub fn user_name() -> String {
    let id = nix::unistd::getuid();
    let user = nix::unistd::User::from_uid(id).ok().flatten();
    user.map_or_else(|| id.to_string(), |user| user.name)
}

/// Architecture and vector units of the processor, as `x86_64 avx2 fma`: what the last digits of sums may depend on.
pub fn processor() -> String {
    let mut words = vec![std::env::consts::ARCH];
    #[cfg(target_arch = "x86_64")]
    {
        let units = [
            ("avx2", std::arch::is_x86_feature_detected!("avx2")),
            ("fma", std::arch::is_x86_feature_detected!("fma")),
            ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
        ];
        words.extend(units.into_iter().filter(|(_, there)| *there).map(|(name, _)| name));
    }
    words.join(" ")
}
