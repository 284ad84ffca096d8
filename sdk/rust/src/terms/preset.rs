use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Amount, Document, Percent, UseEntry, keys::nearest};
use motif_wire::{DerivativesWord, UnitWord, UseWord};

use DerivativesWord::{Allowed, Forbidden};

/// Terms to start from. A preset sets no price that is not zero, no cap and no date: those are
/// each creator's own, and what a preset sets a document can set otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Nothing without the owner's signature, and no use by models at all.
    AllRightsReserved,
    /// Free for all who do not sell, and stays so.
    NonCommercialRemix,
    /// Everybody may generate, for a price.
    CommercialPerGeneration,
    /// Everybody may generate and remix, for a price and a share, on the same condition.
    CommercialRemixShareAlike,
    /// A voice to sing with; half of what a derivative earns is the voice's.
    Voice5050,
    /// Models may learn from it, for a price a run.
    TrainingLicense,
}

/// A name that no preset has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no preset `{0}`; did you mean `{nearest}`?", nearest = nearest(.0, &Preset::NAMES))]
pub struct UnknownPreset(String);

impl Preset {
    /// All there are.
    pub const ALL: [Self; 6] = [
        Self::AllRightsReserved,
        Self::NonCommercialRemix,
        Self::CommercialPerGeneration,
        Self::CommercialRemixShareAlike,
        Self::Voice5050,
        Self::TrainingLicense,
    ];

    const NAMES: [&'static str; 6] = [
        "all-rights-reserved",
        "non-commercial-remix",
        "commercial-per-generation",
        "commercial-remix-share-alike",
        "voice-50-50",
        "training-license",
    ];

    /// What it comes to, in one sentence.
    pub fn description(self) -> &'static str {
        match self {
            Self::AllRightsReserved => {
                "Nothing is licensed unless the owner signs: no model may use the work, nobody may make others from it."
            }
            Self::NonCommercialRemix => {
                "Anybody may generate, remix and play for free, names the creator, does not sell, and shares alike."
            }
            Self::CommercialPerGeneration => {
                "Anybody may generate and sell the outputs, for a price each; no works may be made from it."
            }
            Self::CommercialRemixShareAlike => {
                "Anybody may generate and make works from it, for a price and 20% of what those earn; they share alike."
            }
            Self::Voice5050 => {
                "Anybody may sing and speak with this voice, for a price a second and half of what a derivative earns."
            }
            Self::TrainingLicense => {
                "Anybody may train and fine-tune on it, for a price a run and 10% of what the model earns."
            }
        }
    }

    /// What it says. Uses without a price are for the document to price.
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

    /// A document to start from: this preset, what it says as comments, and prices to change.
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
            "# {description}\n\npreset = \"{self}\"\n\n# What the preset says; write a line without \
             its # to change it.\n{said}# A file of terms has more keys: currency, sublicensing, \
             approval_required, upfront_fee,\n# free_units, valid_from, expires_at, notice_days, \
             legal_text, legal_uri and [caps]; see\n# docs/terms.md.\n\n{uses}"
        )
    }

    fn uses(self) -> Vec<UseEntry> {
        let free = Some(Amount::BaseUnits(0));
        let (uses, price): (&[_], _) = match self {
            // Terms need a use. This one is no model's, and its acceptance needs the owner.
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

impl fmt::Display for Preset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Both lists stand in the order of the variants; a test compares them.
        formatter.write_str(Self::NAMES[*self as usize])
    }
}

impl FromStr for Preset {
    type Err = UnknownPreset;

    fn from_str(text: &str) -> Result<Self, UnknownPreset> {
        let found = Self::ALL.into_iter().find(|preset| preset.to_string() == text);
        found.ok_or_else(|| UnknownPreset(text.to_owned()))
    }
}

impl Serialize for Preset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Preset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use crate::licensing::{Derivatives, Use};

    use super::*;
    use crate::terms::check;

    #[test]
    fn preset_names_round_trip() {
        for (position, preset) in Preset::ALL.into_iter().enumerate() {
            assert_eq!(preset as usize, position);
            assert_eq!(preset.to_string().parse(), Ok(preset));
        }
        let unknown = "voice-5050".parse::<Preset>().unwrap_err().to_string();
        assert_eq!(unknown, "there is no preset `voice-5050`; did you mean `voice-50-50`?");
    }

    #[test]
    fn preset_templates_are_valid_offers() {
        for preset in Preset::ALL {
            let text = preset.starting_document();
            let offer = Document::parse(&text).unwrap().offer(Some(6)).unwrap();
            assert_eq!(check(&offer, 1_800_000_000), Ok(()), "{preset}");
            let said = format!("# commercial = {}\n", offer.commercial);
            assert!(text.contains(&said), "{preset}: {text}");
        }
    }

    #[test]
    fn paid_presets_need_a_price() {
        let makes_an_offer =
            |preset: &Preset| Document { preset: Some(*preset), ..Document::default() }.offer(None);
        let free: Vec<_> =
            Preset::ALL.into_iter().filter(|preset| makes_an_offer(preset).is_ok()).collect();
        assert_eq!(free, [Preset::AllRightsReserved, Preset::NonCommercialRemix]);
    }

    #[test]
    fn all_rights_reserved_excludes_models() {
        let document = Document { preset: Some(Preset::AllRightsReserved), ..Document::default() };
        let offer = document.offer(None).unwrap();
        assert!(offer.approval_required && !offer.commercial && !offer.sublicensing);
        assert_eq!(offer.derivatives, Derivatives::Forbidden);
        let uses: Vec<_> = offer.uses.iter().map(|price| price.licensed_use).collect();
        assert_eq!(uses, [Use::Play]);
    }

    #[test]
    fn voice_preset_takes_half() {
        let document = Preset::Voice5050.document();
        assert_eq!(document.derivative_share, Some(Percent(5_000)));
    }
}
