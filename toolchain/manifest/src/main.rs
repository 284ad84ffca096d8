//! Command line of the manifests, used by `toolchain/build-programs.sh` and `toolchain/build-wasm.sh`.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use program_manifest::{Checkout, MODULES, PROGRAMS, Program};

const USAGE: &str = "\
usage: program-manifest ROOT check                      does the bytecode match the sources?
       program-manifest ROOT record COMPILER ARTIFACT... these were just built, by COMPILER
       program-manifest ROOT explain ARTIFACT           what the source digest covers";

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [root, "check"] => check(root),
        [root, "record", compiler, ref names @ ..] => record(root, compiler, names),
        [root, "explain", name] => explain(root, name),
        _ => bail!(USAGE),
    }
}

fn check(root: &str) -> Result<ExitCode> {
    let mut drifts = Checkout::programs(root).drifts()?;
    drifts.extend(Checkout::modules(root).drifts()?);
    for drift in &drifts {
        eprintln!("{drift}");
    }
    Ok(if drifts.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn record(root: &str, compiler: &str, names: &[&str]) -> Result<ExitCode> {
    for name in names {
        let (checkout, program) = found(root, name)?;
        let artifact = checkout.record(program, compiler)?;
        println!("{name}: {} bytes, sha256 {}", artifact.size_bytes, artifact.bytecode_sha256);
    }
    Ok(ExitCode::SUCCESS)
}

fn explain(root: &str, name: &str) -> Result<ExitCode> {
    let (checkout, program) = found(root, name)?;
    for line in checkout.explain(program)? {
        println!("{line}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the program or module of this name, and the checkout for its set.
fn found(root: &str, name: &str) -> Result<(Checkout, &'static Program)> {
    let named = |programs: &'static [Program]| programs.iter().find(|one| one.name == name);
    let program = named(&PROGRAMS).map(|program| (Checkout::programs(root), program));
    let module = || named(&MODULES).map(|module| (Checkout::modules(root), module));
    program.or_else(module).with_context(|| format!("no program or module `{name}`"))
}
