use std::{fmt::Write as _, fs, path::PathBuf};

use motif_localnet::TestDollar;
use motif_model_server::paint;
use motif_sdk::{
    Pubkey,
    channel::Currency,
    client::{Client, DynSigner},
    fingerprint::content_digest,
    gateway::{GatewayClient, wire::Metadata},
    licensing::{
        Derivatives, ModelDeclaration, Offer, ParentShare, Registration, Share, Unit, Use,
        UsePrice, WorkKind,
    },
    training_set::TrainingSet,
};
use serde::Serialize;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::home::Home;
use crate::{
    amount::{Money, Scale},
    demo::STYLE_MODEL,
    error::CliError,
    work::{description::Description, fingerprint},
};

const HALF_BPS: u16 = 5_000;
const PARENT_SHARE_BPS: u16 = 2_000;
const NOTICE_SECONDS: u32 = 30 * 86_400;
/// Side of a sample picture, pixels.
const SIDE: u32 = 512;
const NOTES: &str = "The harbor wakes before the town. Ropes creak, gulls argue, and the first ferry \
    leaves with nine lamps lit. By noon the light has moved to the chapel, and the water is plain again.\n";

/// Work to register at the start. Its creators share its earnings half and half.
struct Sample {
    title: &'static str,
    description: &'static str,
    file: &'static str,
    kind: WorkKind,
    licensed_use: Use,
    unit: Unit,
    /// Price of a unit, base units of the test dollar.
    price: u64,
}

const HARBOR: Sample = Sample {
    title: "Harbor at dusk",
    description: "A sample picture. Models may imitate its style.",
    file: "harbor.png",
    kind: WorkKind::Image,
    licensed_use: Use::StyleTransfer,
    unit: Unit::Generation,
    price: 4_000,
};
const MARKET: Sample = Sample { title: "Paper market", file: "market.png", price: 6_000, ..HARBOR };
const FIELD_NOTES: Sample = Sample {
    title: "Field notes",
    description: "A sample text about a harbor. Models may write by it.",
    file: "notes.txt",
    kind: WorkKind::Text,
    licensed_use: Use::Generate,
    unit: Unit::ThousandTokens,
    price: 2_000,
};
const HARBOR_STYLE: Sample = Sample {
    title: "Harbor style",
    description: "A sample style model, made from \"Harbor at dusk\". The paywall of `motif up` sells its pictures.",
    file: "harbor-style.safetensors",
    kind: WorkKind::StyleModel,
    licensed_use: Use::Generate,
    unit: Unit::Generation,
    price: 10_000,
};

/// Registered sample.
#[derive(Serialize)]
pub struct SampleWork {
    pub work: String,
    pub title: &'static str,
    pub kind: WorkKind,
    #[serde(rename = "use")]
    pub licensed_use: Use,
    pub unit: Unit,
    pub price: Money,
    pub file: PathBuf,
}

/// Registers works on an empty network.
pub struct Registrar<'a> {
    pub client: &'a Client,
    pub home: &'a Home,
    pub currency: &'a Currency,
    pub creators: [&'a Keypair; 2],
    /// Gateway that describes the works, once it runs.
    pub gateway_url: &'a str,
}

/// Registered samples, with the two that the paywall sells.
pub struct Samples {
    pub works: Vec<SampleWork>,
    descriptions: Vec<(Pubkey, Description)>,
    picture_model: Pubkey,
    text: Pubkey,
}

impl Registrar<'_> {
    /// Registers all samples, and publishes their terms.
    ///
    /// # Errors
    /// [`CliError::Unwritable`]; as [`Client::register_work`] and [`Client::publish_terms`].
    pub async fn register_all(&self) -> Result<Samples, CliError> {
        let [ines, kofi] = self.creators;
        let harbor = paint(HARBOR.title, HARBOR.title, SIDE);
        let market = paint(MARKET.title, MARKET.title, SIDE);
        let style = paint(HARBOR_STYLE.title, HARBOR.title, SIDE);
        let mut samples = Samples {
            works: Vec::new(),
            descriptions: Vec::new(),
            picture_model: Pubkey::default(),
            text: Pubkey::default(),
        };
        let content = Content { bytes: &harbor, preview: Some(&harbor), parent: None };
        let harbor_work = self.register(&mut samples, &HARBOR, ines, content).await?;
        let content = Content { bytes: &market, preview: Some(&market), parent: None };
        self.register(&mut samples, &MARKET, kofi, content).await?;
        let content = Content { bytes: NOTES.as_bytes(), preview: None, parent: None };
        samples.text = self.register(&mut samples, &FIELD_NOTES, ines, content).await?;
        let parent = Some((harbor_work, content_digest(&harbor)));
        let content = Content { bytes: STYLE_MODEL, preview: Some(&style), parent };
        samples.picture_model = self.register(&mut samples, &HARBOR_STYLE, kofi, content).await?;
        Ok(samples)
    }

    /// Registers one sample.
    async fn register(
        &self,
        samples: &mut Samples,
        sample: &Sample,
        creator: &Keypair,
        Content { bytes: content, preview, parent }: Content<'_>,
    ) -> Result<Pubkey, CliError> {
        let file = self.home.path(sample.file);
        let metadata = Metadata {
            title: sample.title.to_owned(),
            description: sample.description.to_owned(),
            ..Metadata::default()
        };
        let description = Description::new(metadata, preview.map(<[u8]>::to_vec))?;
        fs::write(&file, content).map_err(|error| CliError::unwritable(&file, error))?;
        let half = |one: &&Keypair| Share { recipient: one.pubkey(), share_bps: HALF_BPS };
        let registration = Registration {
            title: sample.title.to_owned(),
            metadata_digest: content_digest(&description.document),
            metadata_uri: description.uri(self.gateway_url),
            fingerprint: fingerprint(sample.kind, content, &file)?,
            split: self.creators.iter().map(half).collect(),
            model: parent.map(|(_, digest)| ModelDeclaration {
                base_model: "example".to_owned(),
                training_root: TrainingSet::new([digest]).root(),
                likeness: false,
            }),
            parents: parent
                .map(|(work, _)| ParentShare { work, share_bps: PARENT_SHARE_BPS })
                .into_iter()
                .collect(),
            ..Registration::new(sample.kind, content_digest(content), &creator.pubkey())
        };
        // Every picture belongs to the first creator, who signs derivatives.
        let owners = parent.map(|_| self.creators[0] as &DynSigner);
        let registration = self.client.register_work(registration).parent_owners(owners);
        let (work, _) = registration.send(creator).await?;
        let price =
            UsePrice { licensed_use: sample.licensed_use, unit: sample.unit, price: sample.price };
        let offer = Offer {
            attribution: true,
            derivatives: Derivatives::Allowed,
            derivative_share_bps: PARENT_SHARE_BPS,
            notice_seconds: NOTICE_SECONDS,
            ..Offer::new(vec![price])
        };
        self.client.publish_terms(&work, &self.currency.mint, offer).send(creator).await?;
        let registered = SampleWork {
            work: work.to_string(),
            title: sample.title,
            kind: sample.kind,
            licensed_use: sample.licensed_use,
            unit: sample.unit,
            price: Scale::Dollars(TestDollar::DECIMALS).money(sample.price),
            file,
        };
        samples.works.push(registered);
        samples.descriptions.push((work, description));
        Ok(work)
    }
}

/// Bytes of a sample.
struct Content<'a> {
    bytes: &'a [u8],
    /// Picture that shows it.
    preview: Option<&'a [u8]>,
    /// Picture that a style model was trained on, with its digest.
    parent: Option<(Pubkey, [u8; 32])>,
}

impl Samples {
    /// Has a gateway host what describes the samples, and returns them.
    ///
    /// # Errors
    /// [`CliError::Gateway`].
    pub async fn host(self, gateway: &GatewayClient) -> Result<Vec<SampleWork>, CliError> {
        for (work, description) in self.descriptions {
            description.host(&work, gateway).await?;
        }
        Ok(self.works)
    }

    /// Returns the text of a routes file that sells a model server's pictures, texts and stories.
    pub fn routes(&self, upstream: &str) -> String {
        let (pictures, texts) = (self.picture_model, self.text);
        let mut text = format!("upstream = \"{upstream}\"\n");
        for (path, work, units) in [
            ("/pictures", pictures, "units = { fixed = 1 }"),
            ("/images", pictures, "units = { header = \"x-units\" }\nmost_units = 4"),
            ("/texts", texts, "units = { json = \"/usage/tokens\" }\nper = 1000\nmost_units = 8"),
            ("/stories", texts, "units = { count = \"lines\" }\nper = 1000\nstream = true"),
        ] {
            // Writing to a `String` succeeds.
            let _ = write!(
                text,
                "\n[[route]]\nmethod = \"POST\"\npath = \"{path}\"\nwork = \"{work}\"\n\
                 use = \"generate\"\n{units}\n"
            );
        }
        text + "\n[[free]]\nmethod = \"GET\"\npath = \"/health\"\n"
    }
}
