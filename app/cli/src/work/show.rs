use std::fmt;

use clap::Args;
use motif_sdk::{
    Pubkey,
    bps::WHOLE_BPS,
    client::{Client, WorkDetails, awaited},
    earnings::EarningsAccount,
    gateway::wire::{WorkKind, WorkStatus},
    licensing::{Share, SplitChange, Work},
};
use serde::Serialize;

use crate::{
    amount::{Money, percent},
    currency::Scales,
    dispute::DisputeOutput,
    error::CliError,
    output::{pairs, table},
    qr::PayLink,
    reference::WorkArgs,
    session::Session,
    terms::UseOutput,
    time::{utc, utc_or},
};

/// Deposit of a link's channel, whole tokens.
const LINK_DEPOSIT: u32 = 5;

/// Arguments of `motif work show`.
#[derive(Args)]
pub struct ShowArgs {
    #[command(flatten)]
    work: WorkArgs,

    /// Show a QR code by which a wallet on a phone licenses the work, through the gateway of --gateway-url
    #[arg(long)]
    qr: bool,
}

/// Account of a work.
#[derive(Serialize)]
pub struct WorkOutput {
    pub work: String,
    pub title: String,
    pub kind: WorkKind,
    pub status: WorkStatus,
    pub creator: String,
    owner: String,
    pending_owner: Option<String>,
    content_digest: String,
    fingerprint: FingerprintOutput,
    registered_at: i64,
    withdrawn_at: Option<i64>,
    pub latest_terms: u32,
    consent: Option<ConsentOutput>,
    model: Option<ModelOutput>,
    certificate: Option<String>,
    inherited: InheritedOutput,
    metadata_uri: String,
    parents: Vec<ParentOutput>,
    split: Vec<RecipientOutput>,
    split_version: u32,
    /// Share that the parents leave to the recipients.
    #[serde(skip)]
    own_bps: u16,
}

#[derive(Serialize)]
struct FingerprintOutput {
    scheme: u16,
    bits: String,
}

#[derive(Serialize)]
struct ConsentOutput {
    person: String,
    expires_at: Option<i64>,
}

#[derive(Serialize)]
struct ModelOutput {
    base_model: String,
    training_root: String,
    previous: Option<String>,
}

#[derive(Serialize)]
struct InheritedOutput {
    expires_at: Option<i64>,
    share_alike: bool,
    non_commercial: bool,
}

#[derive(Serialize)]
struct ParentOutput {
    work: String,
    share_bps: u16,
    terms: Option<u32>,
}

#[derive(Serialize)]
struct RecipientOutput {
    recipient: String,
    share_bps: u16,
}

/// Output of `motif work show`.
#[derive(Serialize)]
struct ShowOutput {
    #[serde(flatten)]
    work: WorkOutput,
    uses: Vec<UseOutput>,
    earnings: Vec<EarningsOutput>,
    children: Vec<RelatedOutput>,
    /// Other registrations of the same content.
    conflicts: Vec<RelatedOutput>,
    dispute: Option<DisputeOutput>,
    split_change: Option<SplitChangeOutput>,
    /// Link by which a wallet licenses the work.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<PayLink>,
    #[serde(skip)]
    text: Text,
}

/// What only the text output shows.
struct Text {
    terms: Option<u32>,
    /// Claimant and deadline of the dispute.
    dispute: Option<(String, i64)>,
}

#[derive(Serialize)]
struct EarningsOutput {
    mint: String,
    earned: Money,
    /// Pulled by parents and claimed by recipients.
    taken: Money,
}

#[derive(Serialize)]
struct RelatedOutput {
    work: String,
    kind: WorkKind,
    status: WorkStatus,
    creator: String,
    registered_at: i64,
}

#[derive(Serialize)]
struct SplitChangeOutput {
    proposer: String,
    /// Recipients whose consent is missing.
    awaited: Vec<String>,
}

pub async fn run(args: ShowArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let address = args.work.address(&client).await?;
    let details = client.work_details(&address).await?;
    let mut output = ShowOutput::read(&details, &client).await?;
    if args.qr {
        output.link = Some(license_link(session.gateway_url(), &details)?);
    }
    session.print(&output);
    Ok(())
}

/// Returns the link by which a wallet licenses the first use of a work.
fn license_link(gateway_url: &str, details: &WorkDetails) -> Result<PayLink, CliError> {
    let entry = &details.entry;
    let uses = entry.terms.iter().flat_map(|published| &published.terms.offer.uses);
    let Some(priced) = uses.into_iter().next() else {
        let what = format!("the work {} has no terms to accept", entry.address);
        return Err(CliError::usage(what, "publish terms with `motif terms publish`"));
    };
    let (work, named) = (entry.address, priced.licensed_use);
    let path = format!("/v1/actions/works/{work}/license?use={named}&deposit={LINK_DEPOSIT}");
    PayLink::transaction(&format!("{gateway_url}{path}"))
}

impl WorkOutput {
    pub fn new(address: &Pubkey, work: &Work) -> Self {
        let recipient = |share: &Share| RecipientOutput {
            recipient: share.recipient.to_string(),
            share_bps: share.share_bps,
        };
        let parents = work.parents.iter().map(|parent| ParentOutput {
            work: parent.work.to_string(),
            share_bps: parent.share_bps,
            terms: (parent.terms_number > 0).then_some(parent.terms_number),
        });
        Self {
            work: address.to_string(),
            title: work.title.clone(),
            kind: work.kind,
            status: work.status,
            creator: work.creator.to_string(),
            owner: work.owner.to_string(),
            pending_owner: work.pending_owner.map(|key| key.to_string()),
            content_digest: hex::encode(work.content_digest),
            fingerprint: FingerprintOutput {
                scheme: work.fingerprint.scheme,
                bits: hex::encode(work.fingerprint.bits),
            },
            registered_at: work.registered_at,
            withdrawn_at: Some(work.withdrawn_at).filter(|at| *at != i64::MAX),
            latest_terms: work.latest_terms,
            consent: work.consent.map(|consent| ConsentOutput {
                person: consent.person.to_string(),
                expires_at: consent.expires_at,
            }),
            model: work.model.as_ref().map(|model| ModelOutput {
                base_model: model.base_model.clone(),
                training_root: hex::encode(model.training_root),
                previous: model.previous.map(|key| key.to_string()),
            }),
            certificate: work.certificate.map(|key| key.to_string()),
            inherited: InheritedOutput {
                expires_at: work.inherited.expires_at,
                share_alike: work.inherited.share_alike,
                non_commercial: work.inherited.non_commercial,
            },
            metadata_uri: work.metadata_uri.clone(),
            parents: parents.collect(),
            split: work.split.iter().map(recipient).collect(),
            split_version: work.split_version,
            own_bps: work.own_bps(),
        }
    }
}

impl ShowOutput {
    async fn read(details: &WorkDetails, client: &Client) -> Result<Self, CliError> {
        let entry = &details.entry;
        let mut scales = Scales::new(client);
        let mut uses = Vec::new();
        if let Some(published) = &entry.terms {
            let scale = scales.get(&published.terms.currency).await?;
            let prices = published.terms.offer.uses.iter();
            uses.extend(prices.map(|price| UseOutput::new(price, scale)));
        }
        let mut earnings = Vec::with_capacity(details.earnings.len());
        for account in &details.earnings {
            let scale = scales.get(&account.earnings.mint).await?;
            earnings.push(EarningsOutput {
                mint: account.earnings.mint.to_string(),
                earned: scale.money(account.earnings.earned),
                taken: scale.money(taken(account)),
            });
        }
        let dispute = details.dispute.as_ref();
        let change = details.split_change.as_ref();
        Ok(Self {
            work: WorkOutput::new(&entry.address, &entry.work),
            uses,
            earnings,
            children: details.children.iter().map(RelatedOutput::new).collect(),
            conflicts: details.conflicts.iter().map(RelatedOutput::new).collect(),
            dispute: match dispute {
                Some(dispute) => Some(DisputeOutput::read(dispute, client).await?),
                None => None,
            },
            split_change: change.map(|change| SplitChangeOutput::new(change, &entry.work)),
            link: None,
            text: Text {
                terms: entry.terms.as_ref().map(|published| published.terms.number),
                dispute: dispute.map(|dispute| (dispute.claimant.to_string(), dispute.deadline)),
            },
        })
    }

    fn facts(&self) -> String {
        let work = &self.work;
        let or_dash = |text: Option<String>| text.unwrap_or("-".to_owned());
        let status = match work.withdrawn_at {
            Some(at) => format!("{}, withdrawn {}", work.status, utc(at)),
            None => work.status.to_string(),
        };
        let owner = match &work.pending_owner {
            Some(pending) => format!("{}, offered to {pending}", work.owner),
            None => work.owner.clone(),
        };
        let consent = work.consent.as_ref().map(|consent| {
            format!("of {}, expires: {}", consent.person, utc_or(consent.expires_at, "never"))
        });
        let model = work.model.as_ref().map(|model| {
            format!("adapts {}, training set root {}", model.base_model, model.training_root)
        });
        let title = Some(work.title.clone()).filter(|title| !title.is_empty());
        let metadata = Some(work.metadata_uri.clone()).filter(|uri| !uri.is_empty());
        pairs(&[
            ("work", &work.work),
            ("title", &or_dash(title)),
            ("kind", &work.kind),
            ("status", &status),
            ("creator", &work.creator),
            ("owner", &owner),
            ("SHA-256", &work.content_digest),
            ("registered", &utc(work.registered_at)),
            ("terms", &or_dash(self.text.terms.map(|number| number.to_string()))),
            ("consent", &or_dash(consent)),
            ("model", &or_dash(model)),
            ("certificate", &or_dash(work.certificate.clone())),
            ("metadata", &or_dash(metadata)),
        ])
    }

    /// Returns a table of the parties that share the work's earnings.
    fn parties(&self) -> String {
        let work = &self.work;
        let parents = work
            .parents
            .iter()
            .map(|parent| ["parent".to_owned(), parent.work.clone(), percent(parent.share_bps)]);
        let recipients = work.split.iter().map(|share| {
            ["recipient".to_owned(), share.recipient.clone(), percent(share.share_bps)]
        });
        let parties = table(["party", "address", "share"], &[2], parents.chain(recipients));
        match work.own_bps {
            WHOLE_BPS => parties,
            own => format!("{parties}\nRecipients share the {} that parents leave.", percent(own)),
        }
    }

    /// Returns the sections that not every work has.
    fn optional_sections(&self) -> Vec<String> {
        let mut sections = Vec::new();
        if !self.uses.is_empty() {
            let uses: Vec<_> = self.uses.iter().map(ToString::to_string).collect();
            sections.push(pairs(&[("offered for", &uses.join(", "))]));
        }
        if !self.earnings.is_empty() {
            let rows = self.earnings.iter().map(|earnings| {
                [earnings.mint.clone(), earnings.earned.to_string(), earnings.taken.to_string()]
            });
            sections.push(table(["earned in", "total", "claimed"], &[1, 2], rows));
        }
        if !self.children.is_empty() {
            let rows = self
                .children
                .iter()
                .map(|child| [child.work.clone(), child.kind.to_string(), child.creator.clone()]);
            sections.push(table(["derivative", "kind", "creator"], &[], rows));
        }
        if let Some((claimant, deadline)) = &self.text.dispute {
            let deadline = utc(*deadline);
            sections.push(format!("Disputed by {claimant}; the arbiter decides by {deadline}."));
        }
        if let Some(change) = &self.split_change {
            sections.push(match change.awaited.len() {
                0 => "A new split is proposed; all consents are given.".to_owned(),
                count => format!("A new split is proposed; {count} consents are missing."),
            });
        }
        for other in &self.conflicts {
            sections.push(format!(
                "Conflict: {} registered the same content as {}, {}.",
                other.creator,
                other.work,
                utc(other.registered_at)
            ));
        }
        sections
    }
}

impl fmt::Display for ShowOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sections = vec![self.facts(), self.parties()];
        sections.extend(self.optional_sections());
        sections.extend(self.link.as_ref().map(ToString::to_string));
        formatter.write_str(&sections.join("\n\n"))
    }
}

impl RelatedOutput {
    fn new((address, work): &(Pubkey, Work)) -> Self {
        Self {
            work: address.to_string(),
            kind: work.kind,
            status: work.status,
            creator: work.creator.to_string(),
            registered_at: work.registered_at,
        }
    }
}

impl SplitChangeOutput {
    fn new(change: &SplitChange, work: &Work) -> Self {
        Self {
            proposer: change.proposer.to_string(),
            awaited: awaited(change, work).iter().map(Pubkey::to_string).collect(),
        }
    }
}

fn taken(account: &EarningsAccount) -> u64 {
    let parts = account.parents.iter().chain(&account.recipients);
    parts.map(|part| part.taken).sum() // at most what was earned
}
