use std::{collections::BTreeMap, ops::RangeInclusive};

use motif_wire::Digest;

use crate::{change::Change, error::StoreError, generation::ChannelId};

/// Maximum number of holds named in an error.
const MAX_HOLDS: usize = 20;

/// Drops a frame that is in `skip`, and logs what is lost.
///
/// # Errors
/// [`StoreError::BadFrame`] if it is not in `skip`.
pub fn drop_frame(
    number: u64,
    fault: String,
    contents: String,
    skip: &[u64],
) -> Result<(), StoreError> {
    if !skip.contains(&number) {
        return Err(StoreError::BadFrame { number, fault, contents });
    }
    tracing::error!(number, fault, contents, "dropped a frame of the journal");
    Ok(())
}

/// Describes changes for an operator, who decides whether to lose them.
pub fn describe(changes: &[Change]) -> String {
    let mut generations = BTreeMap::<(ChannelId, u64), (RangeInclusive<u32>, u64)>::new();
    let mut holds = Vec::new();
    for change in changes {
        for generation in change.generations() {
            let (channel_id, statement, position) = generation.place();
            let new = || (position..=position, 0);
            let (range, charged) = generations.entry((channel_id, statement)).or_insert_with(new);
            *range = *range.start().min(&position)..=*range.end().max(&position);
            *charged = charged.saturating_add(generation.charged);
        }
        match change {
            Change::Generations { holds: captured, .. } => {
                let captured = captured.iter().map(|id| Digest(*id));
                holds.extend(captured.map(|id| format!("the capture of hold {id}")));
            }
            Change::HoldPlaced { channel_id, id, hold, .. } => {
                let (id, units) = (Digest(*id), hold.item.units);
                holds.push(format!("hold {id} of channel {} for {units} units", channel_id.0));
            }
            Change::HoldReleased { id } => {
                holds.push(format!("the release of hold {}", Digest(*id)));
            }
            _ => {}
        }
    }
    let mut parts: Vec<String> = Vec::new();
    for ((channel_id, statement), (positions, charged)) in generations {
        parts.push(format!(
            "generations of channel {}, statement {statement}, positions {} to {}, {charged} base \
             units",
            channel_id.0,
            positions.start(),
            positions.end(),
        ));
    }
    let unnamed = holds.len().saturating_sub(MAX_HOLDS);
    holds.truncate(MAX_HOLDS);
    parts.extend(holds);
    if unnamed > 0 {
        parts.push(format!("{unnamed} more changes of holds"));
    }
    if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") }
}
