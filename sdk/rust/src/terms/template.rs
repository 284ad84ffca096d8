//! Documents that presets stand for.

use motif_wire::{
    DerivativesWord::{Allowed, Forbidden},
    UnitWord, UseWord,
};

use super::{Amount, Document, Percent, Preset, UseEntry};

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
             legal_text, legal_uri and [caps]; see\n# docs/terms.md.\n\n{uses}"
        )
    }

    fn uses(self) -> Vec<UseEntry> {
        let free = Some(Amount::BaseUnits(0));
        let (uses, price): (&[_], _) = match self {
            // Terms need a use. This one is for no model and needs approval.
            Self::AllRightsReserved => (&[(UseWord::Play, UnitWord::Second)], free),
            Self::NonCommercialRemix => (
                &[
                    (UseWord::Generate, UnitWord::Generation),
                    (UseWord::StyleTransfer, UnitWord::Generation),
                    (UseWord::VoiceConvert, UnitWord::Second),
                    (UseWord::Play, UnitWord::Second),
                ],
                free,
            ),
            Self::CommercialPerGeneration => (&[(UseWord::Generate, UnitWord::Generation)], None),
            Self::CommercialRemixShareAlike => (
                &[
                    (UseWord::Generate, UnitWord::Generation),
                    (UseWord::StyleTransfer, UnitWord::Generation),
                ],
                None,
            ),
            Self::Voice5050 => (
                &[(UseWord::VoiceConvert, UnitWord::Second), (UseWord::Generate, UnitWord::Second)],
                None,
            ),
            Self::TrainingLicense => (
                &[
                    (UseWord::Train, UnitWord::TrainingRun),
                    (UseWord::FineTune, UnitWord::TrainingRun),
                ],
                None,
            ),
        };
        let entry = |&(licensed_use, unit): &(UseWord, UnitWord)| UseEntry {
            licensed_use,
            unit: Some(unit),
            price: price.clone(),
        };
        uses.iter().map(entry).collect()
    }
}
