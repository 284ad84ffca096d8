//! Corners: FAST-9 (E. Rosten and T. Drummond, "Machine learning for high-speed corner detection",
//! 2006), ranked by Harris and Stephens' response (1988).

use super::plane::Plane;

/// Minimum contrast of a corner, grey levels.
const CONTRAST: u8 = 10;
/// Length of the arc that is brighter or darker than the center.
const ARC: u32 = 9;
const CIRCLE: [(i32, i32); 16] = [
    (0, -3),
    (1, -3),
    (2, -2),
    (3, -1),
    (3, 0),
    (3, 1),
    (2, 2),
    (1, 3),
    (0, 3),
    (-1, 3),
    (-2, 2),
    (-3, 1),
    (-3, 0),
    (-3, -1),
    (-2, -2),
    (-1, -3),
];
/// Corners per cell in which they compete with each other.
const PER_CELL: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corner {
    pub x: usize,
    pub y: usize,
    response: i64,
}

/// Returns up to `wanted` corners at least `margin` (4 or more) from the edges, spread over the
/// plane.
pub fn corners(plane: &Plane<u8>, margin: usize, wanted: usize) -> Vec<Corner> {
    let (width, height) = (plane.width, plane.height);
    if width <= 2 * margin || height <= 2 * margin || wanted == 0 {
        return Vec::new();
    }
    let offsets = CIRCLE.map(|(x, y)| y as isize * width as isize + x as isize);
    let mut responses = vec![0_i64; width * height];
    let mut found = Vec::new();
    for y in margin..height - margin {
        for x in margin..width - margin {
            let place = y * width + x;
            if is_corner(&plane.levels, place, &offsets) {
                let response = harris(plane, place);
                if response > 0 {
                    responses[place] = response;
                    found.push(Corner { x, y, response });
                }
            }
        }
    }
    // Of neighbors the strongest stays, of equals the first.
    found.retain(|corner| {
        let place = corner.y * width + corner.x;
        let around = [place - width - 1, place - width, place - width + 1, place - 1];
        let behind = [place + 1, place + width - 1, place + width, place + width + 1];
        around.iter().all(|other| responses[*other] < corner.response)
            && behind.iter().all(|other| responses[*other] <= corner.response)
    });
    spread(found, width, height, wanted)
}

/// Takes the strongest corner of each cell, then the second, and so on.
fn spread(mut found: Vec<Corner>, width: usize, height: usize, wanted: usize) -> Vec<Corner> {
    let cells = (wanted / PER_CELL).max(1);
    let side = (width * height / cells).isqrt().max(1);
    let across = width / side + 1;
    let cell = |corner: &Corner| corner.y / side * across + corner.x / side;
    found.sort_by_key(|corner| (cell(corner), -corner.response, corner.y, corner.x));
    let mut ranked = Vec::with_capacity(found.len());
    let (mut last, mut rank) = (usize::MAX, 0);
    for corner in found {
        rank = if cell(&corner) == last { rank + 1 } else { 0 };
        last = cell(&corner);
        ranked.push((rank, corner));
    }
    ranked.sort_by_key(|(rank, corner)| (*rank, -corner.response, corner.y, corner.x));
    ranked.into_iter().take(wanted).map(|(_, corner)| corner).collect()
}

#[inline(always)]
fn is_corner(levels: &[u8], place: usize, offsets: &[isize; 16]) -> bool {
    let center = levels[place];
    let (low, high) = (center.saturating_sub(CONTRAST), center.saturating_add(CONTRAST));
    let at = |offset: isize| levels[place.wrapping_add_signed(offset)];
    // Of four places on the circle an arc of nine has two.
    let compass = [at(offsets[0]), at(offsets[4]), at(offsets[8]), at(offsets[12])];
    let is_dark = compass.iter().filter(|level| **level < low).count() >= 2;
    let is_bright = compass.iter().filter(|level| **level > high).count() >= 2;
    if !is_dark && !is_bright {
        return false;
    }
    let (mut dark, mut bright) = (0_u32, 0_u32);
    for (bit, offset) in offsets.iter().enumerate() {
        let level = at(*offset);
        dark |= u32::from(level < low) << bit;
        bright |= u32::from(level > high) << bit;
    }
    has_arc(dark) || has_arc(bright)
}

/// Whether a circle of sixteen bits has [`ARC`] set bits in a row.
fn has_arc(circle: u32) -> bool {
    let mut runs = circle | circle << 16;
    for _ in 1..ARC {
        runs &= runs >> 1;
    }
    runs != 0
}

/// Returns the response over seven by seven gradients, times 25.
fn harris(plane: &Plane<u8>, place: usize) -> i64 {
    let (mut xx, mut yy, mut xy) = (0_i64, 0_i64, 0_i64);
    let width = plane.width;
    for y in 0..7 {
        for x in 0..7 {
            let place = place + y * width + x - 3 * width - 3;
            let at = |place: usize| i64::from(plane.levels[place]);
            let across = at(place + 1) - at(place - 1);
            let down = at(place + width) - at(place - width);
            xx += across * across;
            yy += down * down;
            xy += across * down;
        }
    }
    25 * (xx * yy - xy * xy) - (xx + yy) * (xx + yy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squares(levels: [u8; 2]) -> Plane<u8> {
        let (width, height) = (120, 90);
        let is_inside = |x: usize, y: usize| x % 40 / 12 == 1 && y % 30 / 12 == 1;
        let levels = (0..width * height)
            .map(|place| levels[usize::from(is_inside(place % width, place / width))]);
        Plane { width, height, levels: levels.collect() }
    }

    #[test]
    fn corners_of_squares_are_found() {
        for levels in [[20, 220], [220, 20]] {
            let found = corners(&squares(levels), 8, 400);
            let is_near = |x: usize, y: usize| {
                found.iter().any(|corner| corner.x.abs_diff(x) <= 2 && corner.y.abs_diff(y) <= 2)
            };
            for (x, y) in [(12, 12), (23, 12), (12, 23), (23, 23), (52, 42), (63, 53)] {
                assert!(is_near(x, y), "{x}, {y}");
            }
            assert!(found.iter().all(|corner| corner.x >= 8 && corner.y >= 8));
        }
    }

    #[test]
    fn flat_plane_and_edges_have_no_corner() {
        let edge = |place: usize| if place % 60 < 30 { 10 } else { 240 };
        for levels in [vec![128; 3_600], (0..3_600).map(edge).collect()] {
            assert!(corners(&Plane { width: 60, height: 60, levels }, 4, 100).is_empty());
        }
    }

    #[test]
    fn few_wanted_corners_are_spread() {
        let found = corners(&squares([20, 220]), 8, 9);
        assert_eq!(found.len(), 9);
        let thirds: std::collections::HashSet<_> = found.iter().map(|c| c.x / 40).collect();
        assert_eq!(thirds.len(), 3);
    }
}
