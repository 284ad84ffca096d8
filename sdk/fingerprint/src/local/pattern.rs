//! Where a descriptor compares brightness.
//!
//! Steered BRIEF (M. Calonder et al., "BRIEF", 2010; E. Rublee et al., "ORB: an efficient alternative
//! to SIFT or SURF", 2011): each bit compares two points around the keypoint, turned by its
//! direction. Points are drawn from a normal distribution by SHA-256. Bits 128 to 255 compare the
//! points of bits 0 to 127 mirrored at the keypoint's direction, so that the descriptor of a
//! mirrored picture has the two halves exchanged.

use std::sync::OnceLock;

use sha2::{Digest, Sha256};

/// Directions of keypoints in a full turn.
pub const TURN: usize = 64;
/// Maximum distance of a compared point from its keypoint.
pub const RADIUS: i32 = 15;
const HALF: usize = 128;
/// Minimum sum of the two points' distances from the mirror, so that mirrored bits differ.
const FROM_MIRROR: i32 = 6;
/// Minimum distance of compared points, squared.
const APART: i32 = 16;

/// Sines of the directions of the first quarter, times 2^14.
const SINES: [i32; TURN / 4 + 1] = [
    0, 1_606, 3_196, 4_756, 6_270, 7_723, 9_102, 10_394, 11_585, 12_665, 13_623, 14_449, 15_137,
    15_679, 16_069, 16_305, 16_384,
];
const ONE: i32 = 1 << 14;

pub type Point = (i8, i8);

/// Returns cosine and sine of a direction, times 2^14.
pub fn direction(angle: usize) -> (i32, i32) {
    let sine = |angle: usize| {
        let quarter = TURN / 4;
        let within = angle % quarter;
        match angle % TURN / quarter {
            0 => SINES[within],
            1 => SINES[quarter - within],
            2 => -SINES[within],
            _ => -SINES[quarter - within],
        }
    };
    (sine(angle + TURN / 4), sine(angle))
}

/// Returns the pairs of points for a direction.
pub fn turned(angle: usize) -> &'static [[Point; 2]; 2 * HALF] {
    static TURNED: OnceLock<Vec<[[Point; 2]; 2 * HALF]>> = OnceLock::new();
    let all = TURNED.get_or_init(|| {
        let pairs = pairs();
        (0..TURN).map(|angle| pairs.map(|pair| pair.map(|point| turn(point, angle)))).collect()
    });
    &all[angle % TURN]
}

fn turn((x, y): Point, angle: usize) -> Point {
    let (cosine, sine) = direction(angle);
    let (x, y) = (i32::from(x), i32::from(y));
    // Half away from zero, so that mirrored points stay mirrored.
    let rounded = |sum: i32| (sum + sum.signum() * ONE / 2) / ONE;
    (rounded(x * cosine - y * sine) as i8, rounded(x * sine + y * cosine) as i8) // within RADIUS
}

fn pairs() -> [[Point; 2]; 2 * HALF] {
    let mut pairs = [[(0, 0); 2]; 2 * HALF];
    let (mut made, mut block) = (0, 0_u32);
    while made < HALF {
        let mut hash = Sha256::new();
        hash.update(b"motif-local-1");
        hash.update(block.to_le_bytes());
        let bytes: [u8; 32] = hash.finalize().into();
        block += 1;
        for bytes in bytes.as_chunks::<16>().0 {
            // Sums of four bytes have a standard deviation of 148.
            let draw = |place: usize| {
                let sum = bytes[4 * place..4 * place + 4].iter().map(|byte| i32::from(*byte));
                (sum.sum::<i32>() - 510) / 25
            };
            let [a, b] = [(draw(0), draw(1)), (draw(2), draw(3))];
            let is_inside = |(x, y): (i32, i32)| x * x + y * y <= (RADIUS - 1) * (RADIUS - 1);
            let apart = (a.0 - b.0) * (a.0 - b.0) + (a.1 - b.1) * (a.1 - b.1);
            let is_usable = is_inside(a)
                && is_inside(b)
                && apart >= APART
                && a.1.abs() + b.1.abs() >= FROM_MIRROR;
            if is_usable && made < HALF {
                let pair = [a, b].map(|(x, y)| (x as i8, y as i8)); // within RADIUS
                pairs[made] = pair;
                pairs[made + HALF] = pair.map(|(x, y)| (x, -y));
                made += 1;
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sines_are_rounded_sines() {
        for (angle, sine) in SINES.iter().enumerate() {
            let exact = (angle as f64 / TURN as f64 * std::f64::consts::TAU).sin();
            assert_eq!(*sine, (exact * f64::from(ONE)).round() as i32, "{angle}");
        }
        assert_eq!(direction(16), (0, ONE));
        assert_eq!(direction(32), (-ONE, 0));
        assert_eq!(direction(48), (0, -ONE));
    }

    #[test]
    fn mirrored_direction_exchanges_halves() {
        for angle in 0..TURN {
            let (one, other) = (turned(angle), turned(TURN - angle));
            for bit in 0..HALF {
                let mirrored = one[bit].map(|(x, y)| (x, -y));
                assert_eq!(mirrored, other[bit + HALF], "{angle}, {bit}");
            }
        }
    }

    #[test]
    fn points_stay_within_radius() {
        for angle in 0..TURN {
            let mut points = turned(angle).iter().flatten();
            assert!(points.all(|(x, y)| i32::from(x.abs()).max(y.abs().into()) <= RADIUS));
        }
    }
}
