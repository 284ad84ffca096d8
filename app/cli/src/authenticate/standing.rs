use std::path::Path;

use motif_sdk::{
    Error,
    client::Client,
    credentials::Digests,
    gateway::{GatewayClient, wire::OutputReceipt},
    receipt::{
        SignedReceipt,
        proof::{ProofError, ReceiptProof},
    },
};

use crate::{
    error::CliError,
    receipt::{Prover, read_receipts},
};

/// Receipts of generations whose output is the file.
#[derive(Default)]
pub struct Receipts {
    of_output: Vec<SignedReceipt>,
    /// Everything that was in the file of receipts: with it proofs can be built here.
    all: Vec<SignedReceipt>,
}

/// What a receipt is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Signed by the operator, and part of what was settled on chain.
    Settled,
    /// Signed by the operator of the channel; not settled, or not to be proved from here.
    Signed,
    /// Not what it says it is, and why.
    False(String),
    /// Its channel is gone from the chain, so that nobody can tell any more.
    ChannelGone,
}

impl Receipts {
    /// Those among the receipts in a file whose output has one of these digests.
    ///
    /// # Errors
    /// [`CliError::Unreadable`].
    pub fn read(path: &Path, output: &Digests) -> Result<Self, CliError> {
        let all = read_receipts(path)?;
        let is_of_it = |signed: &&SignedReceipt| output.contains(&signed.receipt.output_digest);
        Ok(Self { of_output: all.iter().filter(is_of_it).copied().collect(), all })
    }

    /// Takes in those that the gateway has.
    pub fn add(&mut self, receipts: &[OutputReceipt]) {
        for found in receipts {
            let signed = SignedReceipt::from(&found.receipt);
            if !self.of_output.contains(&signed) {
                self.of_output.push(signed);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.of_output.is_empty()
    }

    /// Holds each against its channel's account.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn verify(
        self,
        client: &Client,
        gateway: Option<&GatewayClient>,
    ) -> Result<Vec<(SignedReceipt, Standing)>, CliError> {
        let mut standings = Vec::with_capacity(self.of_output.len());
        for signed in &self.of_output {
            let address = signed.receipt.channel;
            let channel = match client.channel(&address).await {
                Ok(account) => account.channel,
                Err(Error::NotFound { .. }) => {
                    standings.push((*signed, Standing::ChannelGone));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if !signed.verifies(&channel.operator) {
                let why = "the channel's operator has not signed it".to_owned();
                standings.push((*signed, Standing::False(why)));
                continue;
            }
            let standing = match self.proof(signed, &channel, gateway).await {
                None => Standing::Signed,
                Some(proof) => match proof.verify(&address, &channel) {
                    Ok(()) => Standing::Settled,
                    Err(ProofError::NotSettled) => Standing::Signed,
                    Err(error) => Standing::False(error.to_string()),
                },
            };
            standings.push((*signed, standing));
        }
        Ok(standings)
    }

    /// What proves a receipt: built from the file, where it has all of the channel's, or the
    /// gateway's.
    async fn proof(
        &self,
        signed: &SignedReceipt,
        channel: &motif_sdk::channel::Channel,
        gateway: Option<&GatewayClient>,
    ) -> Option<ReceiptProof> {
        let address = signed.receipt.channel;
        let of_channel = self.all.iter().filter(|other| other.receipt.channel == address);
        let of_channel: Vec<_> = of_channel.copied().collect();
        if let Ok(prover) = Prover::new(&address, channel, &of_channel)
            && let Some(proof) = prover.proofs().find(|proof| proof.signed == *signed)
        {
            return Some(proof);
        }
        let parts = gateway?.proof(&signed.receipt.digest()).await.ok()?;
        let proof = ReceiptProof::from(&parts);
        (proof.signed.receipt == signed.receipt)
            .then_some(ReceiptProof { signed: *signed, ..proof })
    }
}

impl Standing {
    /// For machines.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Signed => "signed",
            Self::False(_) => "false",
            Self::ChannelGone => "channel-gone",
        }
    }

    /// For people.
    pub fn sentence(&self) -> String {
        match self {
            Self::Settled => "signed by the operator, settled on chain".to_owned(),
            Self::Signed => "signed by the operator, not proved to be settled".to_owned(),
            Self::False(why) => format!("FALSE: {why}"),
            Self::ChannelGone => "its channel is gone, so nobody can tell".to_owned(),
        }
    }
}
