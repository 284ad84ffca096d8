use std::{io::Cursor, sync::LazyLock};

use motif_interface::licensing::Fingerprint;
use rusty_chromaprint::{Configuration, Fingerprinter};
use symphonia::{
    core::{
        audio::SampleBuffer,
        codecs::{CODEC_TYPE_NULL, CodecRegistry, DecoderOptions},
        errors::Error as DecodeError,
        formats::FormatOptions,
        io::{MediaSourceStream, MediaSourceStreamOptions},
        meta::MetadataOptions,
        probe::{Hint, Probe},
    },
    default::formats::{FlacReader, IsoMp4Reader, MpaReader, OggReader, WavReader},
};
use symphonia_metadata::id3v2::Id3v2Reader;

use super::{
    Scheme,
    minhash::{MinHash, mixed},
    mp4, none,
    opus::OpusDecoder,
};

/// Supported formats. AAC without a container is not supported: its reader panics on inconsistent
/// headers.
static FORMATS: LazyLock<Probe> = LazyLock::new(|| {
    let mut formats = Probe::default();
    formats.register_all::<FlacReader>();
    formats.register_all::<IsoMp4Reader>();
    formats.register_all::<MpaReader>();
    formats.register_all::<OggReader>();
    formats.register_all::<WavReader>();
    formats.register_all::<Id3v2Reader>(); // precedes an MP3
    formats
});
static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut codecs = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut codecs);
    codecs.register_all::<OpusDecoder>();
    codecs
});

/// Maximum duration that is decoded; the rest of a recording is ignored.
const MAX_SECONDS: u64 = 20 * 60;
const SAMPLE_RATES: std::ops::RangeInclusive<u32> = 1_000..=192_000;
const MAX_CHANNELS: usize = 32;
/// Maximum number of consecutive undecodable packets.
const MAX_BROKEN_PACKETS: u32 = 64;
/// Minimum number of distinct sub-fingerprints. Silence, a tone or a click has fewer.
const MIN_HEARD: usize = 12;
/// Chromaprint advances by 1,365 samples at 11,025 Hz. An excerpt can begin anywhere in between, so
/// it is fingerprinted from this many offsets within one step.
const STARTS: u64 = 8;
const STEP_MICROSECONDS: u64 = 1_365 * 1_000_000 / 11_025;
/// Bits of a sub-fingerprint that each scheme compares. A sub-fingerprint has two bits from each of
/// sixteen classifiers; the higher one survives compression. All higher bits are compared, and some
/// lower ones to separate unrelated sounds. With eight lower bits, two equal parts are stronger
/// evidence than three were with four.
const COUNTED: [(Scheme, u32); 2] =
    [(Scheme::AudioSounds, 0xFFFF_AAAA), (Scheme::AudioChroma, 0xAAAA_AAFF)];

/// Errors of audio fingerprinting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AudioError {
    /// Error returned when the format is not supported.
    #[error("unknown audio format: expected WAV, FLAC, MP3, AAC in MP4, Vorbis or Opus")]
    UnknownFormat,
    /// Error returned when the content is corrupt.
    #[error("corrupt recording: {0}")]
    Unreadable(String),
}

/// Decoded and fingerprinted recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedAudio {
    /// Samples per second.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: u32,
    /// Duration that was decoded.
    pub milliseconds: u64,
    /// Fingerprint under [`Scheme::AudioSounds`]; none for silence.
    pub fingerprint: Fingerprint,
    /// Fingerprints to search for this recording and recordings that it is an excerpt of, under
    /// every audio scheme.
    pub probes: Vec<Fingerprint>,
}

/// Decodes and fingerprints the first twenty minutes of a recording, mixed to one channel, within
/// fixed limits.
///
/// # Errors
/// [`AudioError`].
pub fn decode_audio(bytes: &[u8]) -> Result<DecodedAudio, AudioError> {
    if !mp4::has_room_for_its_tables(bytes) {
        let reason = "it claims more than it has bytes for".to_owned();
        return Err(AudioError::Unreadable(reason));
    }
    let source = Box::new(Cursor::new(bytes.to_vec()));
    let stream = MediaSourceStream::new(source, MediaSourceStreamOptions::default());
    let (hint, options) = (Hint::new(), FormatOptions::default());
    let probed = FORMATS
        .format(&hint, stream, &options, &MetadataOptions::default())
        .map_err(|_| AudioError::UnknownFormat)?;
    let mut format = probed.format;
    let track = format.tracks().iter().find(|track| track.codec_params.codec != CODEC_TYPE_NULL);
    let track = track.ok_or(AudioError::UnknownFormat)?;
    let decoder = CODECS.make(&track.codec_params, &DecoderOptions::default());
    let (mut decoder, track) = (decoder.map_err(|_| AudioError::UnknownFormat)?, track.id);

    let mut listener: Option<Listener> = None;
    let mut broken = 0;
    while let Some(packet) = next_packet(&mut *format)? {
        if packet.track_id() != track {
            continue;
        }
        let decoded = match decoder.decode(&packet) {
            Ok(decoded) => decoded,
            Err(DecodeError::DecodeError(reason)) => {
                broken += 1;
                if broken > MAX_BROKEN_PACKETS {
                    return Err(AudioError::Unreadable(reason.to_owned()));
                }
                continue;
            }
            Err(error) => return Err(AudioError::Unreadable(error.to_string())),
        };
        broken = 0;
        let spec = *decoded.spec();
        let listener = match &mut listener {
            Some(listener) => listener,
            None => listener.insert(Listener::new(spec.rate, spec.channels.count())?),
        };
        let mut samples = SampleBuffer::<i16>::new(decoded.capacity() as u64, spec);
        samples.copy_interleaved_ref(decoded);
        if !listener.hear(samples.samples(), spec.channels.count()) {
            break;
        }
    }
    let listener = listener.ok_or_else(|| AudioError::Unreadable("it has no sound".to_owned()))?;
    Ok(listener.finish())
}

/// Returns the next packet; `None` at the end, also of a truncated file.
fn next_packet(
    format: &mut dyn symphonia::core::formats::FormatReader,
) -> Result<Option<symphonia::core::formats::Packet>, AudioError> {
    match format.next_packet() {
        Ok(packet) => Ok(Some(packet)),
        Err(DecodeError::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Ok(None)
        }
        Err(DecodeError::ResetRequired) => Ok(None), // another recording follows this one
        Err(error) => Err(AudioError::Unreadable(error.to_string())),
    }
}

/// Feeds chromaprint with one channel, from several offsets.
struct Listener {
    printers: Vec<(Fingerprinter, usize)>,
    sample_rate: u32,
    channels: u32,
    heard: u64,
    mono: Vec<i16>,
}

impl Listener {
    fn new(sample_rate: u32, channels: usize) -> Result<Self, AudioError> {
        let refuse = |what: &str| AudioError::Unreadable(what.to_owned());
        if !SAMPLE_RATES.contains(&sample_rate) {
            return Err(refuse("its sample rate is out of range"));
        }
        if !(1..=MAX_CHANNELS).contains(&channels) {
            return Err(refuse("no channels, or too many"));
        }
        let mut printers = Vec::new();
        for start in 0..STARTS {
            let mut printer = Fingerprinter::new(&Configuration::preset_test2());
            printer.start(sample_rate, 1).map_err(|_| refuse("its sample rate is out of range"))?;
            let microseconds = start * STEP_MICROSECONDS / STARTS;
            let skipped = microseconds * u64::from(sample_rate) / 1_000_000;
            printers.push((printer, skipped as usize)); // a fraction of a second
        }
        let channels = channels as u32; // at most 32
        Ok(Self { printers, sample_rate, channels, heard: 0, mono: Vec::new() })
    }

    /// Adds interleaved samples; returns whether more are needed.
    fn hear(&mut self, samples: &[i16], channels: usize) -> bool {
        let mix = |frame: &[i16]| {
            let sum: i32 = frame.iter().map(|sample| i32::from(*sample)).sum();
            (sum / frame.len() as i32) as i16 // an average of 16-bit numbers
        };
        self.mono.clear();
        self.mono.extend(samples.chunks_exact(channels.max(1)).map(mix));
        for (printer, skip) in &mut self.printers {
            let skipped = (*skip).min(self.mono.len());
            *skip -= skipped;
            printer.consume(&self.mono[skipped..]);
        }
        self.heard += self.mono.len() as u64;
        self.heard < MAX_SECONDS * u64::from(self.sample_rate)
    }

    fn finish(mut self) -> DecodedAudio {
        self.printers.iter_mut().for_each(|(printer, _)| printer.finish());
        let heard = |(scheme, counted)| {
            let sounds = self.printers.iter().map(|(printer, _)| printer.fingerprint());
            sounds.map(move |sounds| condensed(sounds, scheme, counted))
        };
        let mut probes: Vec<_> = COUNTED.into_iter().flat_map(heard).collect();
        let fingerprint = probes.first().copied().unwrap_or_else(none);
        probes.retain(|probe| *probe != none());
        DecodedAudio {
            sample_rate: self.sample_rate,
            channels: self.channels,
            milliseconds: self.heard * 1_000 / u64::from(self.sample_rate),
            fingerprint,
            probes,
        }
    }
}

/// Returns the minima over all sub-fingerprints regardless of time, so that an excerpt shares those
/// within it.
fn condensed(sounds: &[u32], scheme: Scheme, counted: u32) -> Fingerprint {
    let mut heard: Vec<_> = sounds.iter().map(|sound| sound & counted).collect();
    heard.sort_unstable();
    heard.dedup();
    if heard.len() < MIN_HEARD {
        return none();
    }
    let mut minima = MinHash::new();
    heard.iter().for_each(|sound| minima.add(mixed(u64::from(*sound))));
    Fingerprint { scheme: scheme as u16, bits: minima.bits() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distance;

    /// Returns a mono WAV file with a tune of random notes and overtones.
    fn tune(seed: u64, sample_rate: u32, seconds: u32, skip: u32) -> Vec<u8> {
        let note = |place: u32| {
            let choice = mixed(seed << 32 | u64::from(place)) % 36;
            220.0 * 2_f64.powf(choice as f64 / 12.0)
        };
        let first = skip * sample_rate;
        let samples = (first..first + seconds * sample_rate).map(|at| {
            let time = f64::from(at) / f64::from(sample_rate);
            let (half, third) = ((time * 2.0) as u32, (time * 3.0) as u32 + 1_000_000);
            let wave = |pitch: f64| (time * pitch * std::f64::consts::TAU).sin();
            let level = wave(note(half)) + 0.5 * wave(2.0 * note(half)) + 0.8 * wave(note(third));
            (level * 6_000.0) as i16
        });
        let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
        let length = data.len() as u32;
        let mut wav = b"RIFF".to_vec();
        wav.extend((36 + length).to_le_bytes());
        wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        wav.extend(sample_rate.to_le_bytes());
        wav.extend((sample_rate * 2).to_le_bytes());
        wav.extend(b"\x02\0\x10\0data");
        wav.extend(length.to_le_bytes());
        wav.extend(data);
        wav
    }

    #[test]
    fn resampled_or_cut_tune_is_found() {
        let whole = decode_audio(&tune(1, 44_100, 60, 0)).unwrap();
        assert_eq!((whole.sample_rate, whole.channels, whole.milliseconds), (44_100, 1, 60_000));
        assert_eq!(whole.fingerprint.scheme, Scheme::AudioSounds as u16);
        let resampled = decode_audio(&tune(1, 22_050, 60, 0)).unwrap().probes;
        let excerpt = decode_audio(&tune(1, 44_100, 30, 15)).unwrap().probes;
        let other = decode_audio(&tune(2, 44_100, 60, 0)).unwrap().probes;
        for (scheme, _) in COUNTED {
            let registered = |probe: &&Fingerprint| probe.scheme == scheme as u16;
            let registered = whole.probes.iter().find(registered).unwrap();
            let apart = |probes: &[Fingerprint]| {
                let probes = probes.iter().filter_map(|probe| distance(registered, probe));
                probes.min().unwrap()
            };
            let (resampled, excerpt) = (apart(&resampled), apart(&excerpt));
            let radius = scheme.radius();
            assert!(resampled <= radius && excerpt <= radius, "{scheme:?} {resampled} {excerpt}");
            assert!(apart(&other) > radius, "{scheme:?} {}", apart(&other));
        }
    }

    #[test]
    fn silence_has_no_fingerprint() {
        let mut wav = tune(1, 8_000, 20, 0);
        wav[44..].fill(0);
        assert_eq!(decode_audio(&wav).unwrap().fingerprint, none());
    }

    #[test]
    fn invalid_audio_is_rejected() {
        assert_eq!(decode_audio(b"no sound"), Err(AudioError::UnknownFormat));
        let mut wav = tune(1, 8_000, 1, 0);
        wav.truncate(44);
        assert!(decode_audio(&wav).is_err());
    }
}
