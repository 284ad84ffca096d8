use std::path::PathBuf;

use clap::Args;
use motif_sdk::gateway::AdminClient;

use crate::{error::CliError, reference::read_file, session::Session};

/// Where operators are listened to, and what proves that you are one.
#[derive(Args)]
pub struct AdminArgs {
    /// The gateway's operators' listener.
    #[arg(long, env = "MOTIF_ADMIN_URL", default_value = "http://127.0.0.1:8788")]
    admin_url: String,

    /// File with the operators' secret, or with an API key of scope `admin` [default: what
    /// MOTIF_GATEWAY_ADMIN_SECRET holds].
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

impl AdminArgs {
    /// A client of the operators' listener.
    ///
    /// # Errors
    /// [`CliError::Usage`] without a secret; [`CliError::Unreadable`].
    pub fn client(&self, session: &Session) -> Result<AdminClient, CliError> {
        let secret = match &self.secret_file {
            Some(path) => {
                String::from_utf8(read_file(path)?).map_err(|_| CliError::Unreadable {
                    path: path.display().to_string(),
                    reason: "it is no text".to_owned(),
                })?
            }
            None => std::env::var("MOTIF_GATEWAY_ADMIN_SECRET").map_err(|_| {
                let help = "pass --secret-file, or set MOTIF_GATEWAY_ADMIN_SECRET";
                CliError::usage("no secret to prove that you are the operator", help)
            })?,
        };
        let patience = session.patience(&self.admin_url);
        Ok(AdminClient::new(&self.admin_url, secret.trim()).patience(patience))
    }
}
