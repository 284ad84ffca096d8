//! Writes a program's IDL, as `anchor build` would; see `toolchain/generate-idl.sh`.

use std::{env, fs};

use anchor_lang_idl::build::IdlBuilder;
use anyhow::{Context, Result, ensure};

fn main() -> Result<()> {
    // With this variable the builder would install the toolchain.
    ensure!(env::var_os("RUSTUP_TOOLCHAIN").is_none(), "unset RUSTUP_TOOLCHAIN first");
    let mut arguments = env::args_os().skip(1);
    let usage = "usage: generate-idl PROGRAM_DIRECTORY FILE";
    let program = arguments.next().context(usage)?;
    let file = arguments.next().context(usage)?;

    let idl = IdlBuilder::new()
        .program_path(program.into())
        .cargo_args(vec!["--lib".to_owned(), "--locked".to_owned()])
        .build()?;
    fs::write(&file, serde_json::to_string_pretty(&idl)?)?;
    Ok(())
}
