use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::suggestion::nearest;

/// Template of terms. A preset sets no prices other than zero, no caps and no dates, and a document
/// can override all of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Requires the owner's signature, and excludes models.
    AllRightsReserved,
    /// Free for non-commercial use, share-alike.
    NonCommercialRemix,
    /// Generation for a price.
    CommercialPerGeneration,
    /// Generation and derivatives for a price and a share, share-alike.
    CommercialRemixShareAlike,
    /// Voice for a price, and half of a derivative's earnings.
    Voice5050,
    /// Training for a price per run.
    TrainingLicense,
}

/// Error returned for an unknown preset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown preset `{0}`; did you mean `{nearest}`?", nearest = nearest(.0, &Preset::NAMES))]
pub struct UnknownPreset(String);

impl Preset {
    /// All presets.
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

    /// Returns a description in one sentence.
    pub fn description(self) -> &'static str {
        match self {
            Self::AllRightsReserved => {
                "Nothing is licensed without the owner's signature: no use by models and no derivatives."
            }
            Self::NonCommercialRemix => {
                "Generation, remixing and playback are free for non-commercial use, with credit to the creator, share-alike."
            }
            Self::CommercialPerGeneration => {
                "Generation for a price per output, commercial use included; no derivatives."
            }
            Self::CommercialRemixShareAlike => {
                "Generation for a price, and derivatives for 20% of their earnings, share-alike."
            }
            Self::Voice5050 => {
                "Voice conversion for a price per second, and derivatives for half of their earnings."
            }
            Self::TrainingLicense => {
                "Training and fine-tuning for a price per run, and 10% of the model's earnings."
            }
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Both lists are in the order of the variants, which a test checks.
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
    use super::*;
    use crate::{Document, Percent, check};
    use motif_interface::licensing::{Derivatives, Use};

    #[test]
    fn preset_names_round_trip() {
        for (position, preset) in Preset::ALL.into_iter().enumerate() {
            assert_eq!(preset as usize, position);
            assert_eq!(preset.to_string().parse(), Ok(preset));
        }
        let unknown = "voice-5050".parse::<Preset>().unwrap_err().to_string();
        assert_eq!(unknown, "unknown preset `voice-5050`; did you mean `voice-50-50`?");
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
