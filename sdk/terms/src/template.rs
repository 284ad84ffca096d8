//! Documents that presets stand for.

use super::{Amount, Document, Percent, Preset, UseEntry};
use motif_interface::licensing::{
    Derivatives::{Allowed, Forbidden},
    Unit, Use,
};

impl Preset {
    /// Returns the preset's fields. Uses without a price must be priced by the document.
    pub fn document(self) -> Document {
        let remixable = |share: u16, share_alike: bool| Document {
            commercial: Some(true),
            attribution: Some(true),
            derivatives: Some(Allowed),
            derivative_share: Some(Percent(share)),
            share_alike: Some(share_alike),
            ..Document::default()
        };
        let document = match self {
            Self::AllRightsReserved => Document {
                commercial: Some(false),
                attribution: Some(true),
                approval_required: Some(true),
                derivatives: Some(Forbidden),
                ..Document::default()
            },
            Self::NonCommercialRemix => Document { commercial: Some(false), ..remixable(0, true) },
            Self::CommercialPerGeneration => Document {
                commercial: Some(true),
                derivatives: Some(Forbidden),
                ..Document::default()
            },
            Self::CommercialRemixShareAlike => remixable(2_000, true),
            Self::Voice5050 => remixable(5_000, false),
            Self::TrainingLicense => remixable(1_000, false),
        };
        Document { uses: self.uses(), ..document }
    }

    /// Returns a template: the preset, its fields as comments, and prices to edit.
    pub fn starting_document(self) -> String {
        let said = Document { uses: Vec::new(), ..self.document() }.to_toml();
        let said: String = said.lines().map(|line| format!("# {line}\n")).collect();
        let entry = |mut entry: UseEntry| {
            entry.price.get_or_insert(Amount::Decimal("0.01".to_owned()));
            entry
        };
        let uses = self.uses().into_iter().map(entry).collect();
        let uses = Document { uses, ..Document::default() }.to_toml();
        let description = self.description();
        format!(
            "# {description}\n\npreset = \"{self}\"\n\n# Fields of the preset; uncomment a line \
             to change it.\n{said}# A file of terms has more keys: currency, sublicensing, \
             approval_required, upfront_fee,\n# free_units, valid_from, expires_at, notice_days, \
             legal_text, legal_uri, operators and [caps]; see\n# docs/terms.md.\n\n{uses}"
        )
    }

    fn uses(self) -> Vec<UseEntry> {
        let free = Some(Amount::BaseUnits(0));
        let (uses, price): (&[_], _) = match self {
            // Terms need a use. This one is for no model and needs approval.
            Self::AllRightsReserved => (&[(Use::Play, Unit::Second)], free),
            Self::NonCommercialRemix => (
                &[
                    (Use::Generate, Unit::Generation),
                    (Use::StyleTransfer, Unit::Generation),
                    (Use::VoiceConvert, Unit::Second),
                    (Use::Play, Unit::Second),
                ],
                free,
            ),
            Self::CommercialPerGeneration => (&[(Use::Generate, Unit::Generation)], None),
            Self::CommercialRemixShareAlike => {
                (&[(Use::Generate, Unit::Generation), (Use::StyleTransfer, Unit::Generation)], None)
            }
            Self::Voice5050 => {
                (&[(Use::VoiceConvert, Unit::Second), (Use::Generate, Unit::Second)], None)
            }
            Self::TrainingLicense => {
                (&[(Use::Train, Unit::TrainingRun), (Use::FineTune, Unit::TrainingRun)], None)
            }
        };
        let entry = |&(licensed_use, unit): &(Use, Unit)| UseEntry {
            licensed_use,
            unit: Some(unit),
            price: price.clone(),
        };
        uses.iter().map(entry).collect()
    }
}
