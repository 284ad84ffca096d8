//! `motif completions`: completion scripts for shells.

use clap::Args;
use clap_complete::Shell;

use crate::output;

/// Arguments of `motif completions`.
#[derive(Args)]
pub struct CompletionsArgs {
    /// Shell to generate the script for
    shell: Shell,
}

/// Prints a completion script for `command`.
pub fn print(args: &CompletionsArgs, command: &mut clap::Command) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "motif", &mut script);
    output::print_text(String::from_utf8_lossy(&script).trim_end());
}
