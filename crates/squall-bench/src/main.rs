#![doc = include_str!("../README.md")]

mod args;
mod intake;
mod load;
mod null;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::bail;

use args::Args;

/// That of the service.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "squall-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let (command, args) = Args::read(std::env::args().skip(1))?;
    match command.as_str() {
        "load" => load::run(args),
        "null" => null::run(args),
        "intake" => intake::run(args),
        other => bail!("unknown command `{other}`, expected `load`, `null` or `intake`"),
    }
}

/// Writes one line to standard output at once: its reader waits for it.
fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}
