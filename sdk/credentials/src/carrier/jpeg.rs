use std::ops::Range;

use super::four;

const APP11: u8 = 0xEB;
const START_OF_SCAN: u8 = 0xDA;
const END_OF_IMAGE: u8 = 0xD9;

/// Returns the APP11 segments of a JPEG with a manifest store: JPEG XT boxes (ISO 19566-5) of type
/// `jumb` with the description `c2pa`, and their continuations.
pub fn credentials(content: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut instances = Vec::new();
    let mut place = 2; // after the start of image
    while content.get(place) == Some(&0xFF) {
        let Some(marker) = content.get(place + 1).copied() else { break };
        match marker {
            0xFF => {
                place += 1; // a fill byte
                continue;
            }
            START_OF_SCAN | END_OF_IMAGE => break,
            0x01 | 0xD0..=0xD7 => {
                place += 2; // a marker without a segment
                continue;
            }
            _ => {}
        }
        let Some([_, _, high, low]) = four(content, place) else { break };
        let end = place + 2 + usize::from(u16::from_be_bytes([high, low]));
        let Some(payload) = content.get(place + 4..end) else { break };
        if marker == APP11 && is_of_store(payload, &mut instances) {
            found.push(place..end);
        }
        place = end;
    }
    found
}

/// Identifier `JP`, box instance (2), sequence number (4), then the box, whose header is repeated
/// in each segment: length (4), type (4), and, in the first, the description box: length (4),
/// `jumd`, UUID.
fn is_of_store(payload: &[u8], instances: &mut Vec<[u8; 2]>) -> bool {
    let [b'J', b'P', high, low, ..] = *payload else { return false };
    let instance = [high, low];
    if instances.contains(&instance) {
        return true;
    }
    let begins = four(payload, 12) == Some(*b"jumb")
        && four(payload, 20) == Some(*b"jumd")
        && four(payload, 24) == Some(*b"c2pa");
    if begins {
        instances.push(instance);
    }
    begins
}
