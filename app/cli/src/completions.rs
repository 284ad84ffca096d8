use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{args::Cli, error::CliError};

/// For which shell.
#[derive(Args)]
pub struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

pub fn run(args: &CompletionsArgs) -> Result<(), CliError> {
    clap_complete::generate(args.shell, &mut Cli::command(), "motif", &mut std::io::stdout());
    Ok(())
}
