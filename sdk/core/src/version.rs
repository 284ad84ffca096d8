use motif_frame::{Answer, Call, CallError, arguments};
use motif_payer_calls::{Calls, Payers, version::facts};
use motif_terms::Preset;

pub(crate) const CALLS: Calls = &[("version", version)];

fn version(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {});
    Ok(Answer::of(&facts(&crate::CALLS, &Preset::ALL)))
}
