//! The binary: hands over to [`mlops::cli`].

use std::process::ExitCode;

/// Columns come and go by the hundred megabytes; the system's allocator gives each back at once and faults it in again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    mlops::cli::main()
}
