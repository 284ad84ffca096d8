use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{answer, args::Cli, error::CliError};

/// For which shell.
#[derive(Args)]
pub struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

pub fn run(args: &CompletionsArgs) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "motif", &mut script);
    answer::print_text(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}
