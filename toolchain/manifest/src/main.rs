//! Command line of the manifest, used by `toolchain/build-programs.sh`.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use program_manifest::{Checkout, PROGRAMS, Program};

const USAGE: &str = "\
usage: program-manifest ROOT check                      does the bytecode match the sources?
       program-manifest ROOT record COMPILER PROGRAM... these were just built, by COMPILER
       program-manifest ROOT explain PROGRAM            what the source digest covers";

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [root, "check"] => check(&Checkout::new(root)),
        [root, "record", compiler, ref names @ ..] => record(&Checkout::new(root), compiler, names),
        [root, "explain", name] => explain(&Checkout::new(root), name),
        _ => bail!(USAGE),
    }
}

fn check(checkout: &Checkout) -> Result<ExitCode> {
    let drifts = checkout.drifts()?;
    for drift in &drifts {
        eprintln!("{drift}");
    }
    Ok(if drifts.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn record(checkout: &Checkout, compiler: &str, names: &[&str]) -> Result<ExitCode> {
    for name in names {
        let artifact = checkout.record(program(name)?, compiler)?;
        println!("{name}: {} bytes, sha256 {}", artifact.size_bytes, artifact.bytecode_sha256);
    }
    Ok(ExitCode::SUCCESS)
}

fn explain(checkout: &Checkout, name: &str) -> Result<ExitCode> {
    for line in checkout.explain(program(name)?)? {
        println!("{line}");
    }
    Ok(ExitCode::SUCCESS)
}

fn program(name: &str) -> Result<&'static Program> {
    PROGRAMS
        .iter()
        .find(|program| program.name == name)
        .with_context(|| format!("no program `{name}`"))
}
