//! Abstract pictures, derived from a prompt and a style only.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use sha2::{Digest, Sha256};

/// Maximum side of a picture, in pixels.
const MAX_SIDE: u32 = 1_024;
const DISCS: usize = 24;

/// Soft disc of one color.
struct Disc {
    x: f32,
    y: f32,
    radius: f32,
    strength: f32,
    colour: [f32; 3],
}

/// Returns a square PNG whose colors derive from the style and whose shapes derive from both. Its side is 16 to
/// 1,024 pixels.
pub fn paint(prompt: &str, style: &str, side: u32) -> Vec<u8> {
    let side = side.clamp(16, MAX_SIDE);
    let mut colours = Numbers::of(&[style]);
    let palette: [[f32; 3]; 5] = std::array::from_fn(|_| std::array::from_fn(|_| colours.next()));
    let mut shapes = Numbers::of(&[prompt, style]);
    let discs: [Disc; DISCS] = std::array::from_fn(|_| Disc {
        x: shapes.next(),
        y: shapes.next(),
        radius: 0.05 + 0.35 * shapes.next() * shapes.next(),
        strength: 0.3 + 0.7 * shapes.next(),
        colour: palette[1 + (shapes.next() * 4.0) as usize % 4],
    });
    let (bands, slant) = (2.0 + 6.0 * shapes.next(), shapes.next() * 2.0 - 1.0);
    let picture = RgbImage::from_fn(side, side, |x, y| {
        let (x, y) = (x as f32 / side as f32, y as f32 / side as f32);
        let wave = 0.5 + 0.5 * ((x + y * slant) * bands * std::f32::consts::TAU).sin();
        let mut colour: [f32; 3] = std::array::from_fn(|channel| {
            palette[0][channel] * (0.6 + 0.4 * (1.0 - y)) * (0.85 + 0.15 * wave)
        });
        for disc in &discs {
            let distance = ((x - disc.x).powi(2) + (y - disc.y).powi(2)).sqrt() / disc.radius;
            let weight = disc.strength * (1.0 - distance).clamp(0.0, 1.0).sqrt();
            for (channel, own) in colour.iter_mut().zip(disc.colour) {
                *channel += (own - *channel) * weight;
            }
        }
        Rgb(colour.map(|channel| (channel.clamp(0.0, 1.0) * 255.0) as u8))
    });
    let mut bytes = Cursor::new(Vec::new());
    // Writing to memory cannot fail.
    let _ = picture.write_to(&mut bytes, ImageFormat::Png);
    bytes.into_inner()
}

/// Pseudorandom numbers from 0 to 1, seeded by texts.
struct Numbers {
    state: [u8; 32],
    used: usize,
}

impl Numbers {
    fn of(texts: &[&str]) -> Self {
        let mut hasher = Sha256::new();
        for text in texts {
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text);
        }
        Self { state: hasher.finalize().into(), used: 0 }
    }

    fn next(&mut self) -> f32 {
        if self.used + 2 > self.state.len() {
            (self.state, self.used) = (Sha256::digest(self.state).into(), 0);
        }
        let bytes = [self.state[self.used], self.state[self.used + 1]];
        self.used += 2;
        f32::from(u16::from_le_bytes(bytes)) / f32::from(u16::MAX)
    }
}
