//! Recordings: containers and codecs, and their fingerprints.

mod caf;
mod mp4;
mod mpeg;
mod opus;
mod source;
mod wave;

use std::{
    io::{self, Cursor, Read, Seek, SeekFrom},
    sync::LazyLock,
};

use motif_interface::licensing::Fingerprint;
use rusty_chromaprint::{Configuration, Fingerprinter};
use symphonia::{
    core::{
        audio::SampleBuffer,
        codecs::{
            CODEC_TYPE_ALAC, CODEC_TYPE_NULL, CodecParameters, CodecRegistry, Decoder,
            DecoderOptions,
        },
        errors::Error as DecodeError,
        formats::{FormatOptions, FormatReader, Packet},
        io::{MediaSourceStream, MediaSourceStreamOptions, ReadBytes},
    },
    default::formats::{
        AiffReader, CafReader, FlacReader, IsoMp4Reader, MpaReader, OggReader, WavReader,
    },
};

use self::{
    opus::OpusDecoder,
    source::{Part, read_at},
    wave::Wave,
};
use super::{
    Scheme,
    minhash::{MinHash, mixed},
    none,
};

pub use self::{mpeg::padding as mp3_padding, wave::is_wave};

static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut codecs = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut codecs);
    codecs.register_all::<OpusDecoder>();
    codecs
});

/// Number of first bytes from which the container is detected.
const HEAD_BYTES: usize = 64 * 1_024;
/// Maximum number of frames in a packet of ALAC, which has 4,096 by default.
const MAX_ALAC_FRAMES: u32 = 65_536;
/// Maximum number of ID3v2 tags before a recording.
const MAX_TAGS: usize = 16;
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
    /// Error returned when the container or its codec is not supported.
    #[error(
        "unknown audio format: expected WAV, RF64, Wave64, AIFF, CAF, FLAC, MP3, MP4, Vorbis or Opus"
    )]
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
    /// Whether the recording is longer than what was decoded.
    pub is_cut: bool,
    /// Whether it is the sound of a video.
    pub has_pictures: bool,
    /// Fingerprint under [`Scheme::AudioSounds`]; none for silence.
    pub fingerprint: Fingerprint,
    /// Fingerprints to search for this recording and recordings that it is an excerpt of, under
    /// every audio scheme.
    pub probes: Vec<Fingerprint>,
}

/// Container of a recording. AAC without a container is not supported: its reader panics on inconsistent
/// headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    Wave,
    Aiff,
    Caf,
    Flac,
    Ogg,
    Mpeg,
    Mp4,
}

/// Opened recording.
struct Recording {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn Decoder>,
    track: u32,
    has_pictures: bool,
}

/// Decodes and fingerprints the first twenty minutes of a recording, mixed to one channel, within
/// fixed limits.
///
/// # Errors
/// [`AudioError`].
pub fn decode_audio(bytes: &[u8]) -> Result<DecodedAudio, AudioError> {
    read_audio(Cursor::new(bytes.to_vec()))
}

/// As [`decode_audio`], from a source of any length, such as a file. Decoding takes at most 256 MiB of memory
/// however long the recording is.
///
/// # Errors
/// [`AudioError`]; [`AudioError::Unreadable`] if the source cannot be read.
pub fn read_audio(
    source: impl Read + Seek + Send + Sync + 'static,
) -> Result<DecodedAudio, AudioError> {
    let Recording { mut format, mut decoder, track, has_pictures } = Recording::open(source)?;
    let mut listener: Option<Listener> = None;
    let (mut broken, mut is_cut) = (0, false);
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
            is_cut = true;
            break;
        }
    }
    let listener = listener.ok_or_else(|| AudioError::Unreadable("it has no sound".to_owned()))?;
    Ok(DecodedAudio { is_cut, has_pictures, ..listener.finish() })
}

impl Container {
    fn detect(head: &[u8]) -> Option<Self> {
        let starts = |magic: &[u8]| head.starts_with(magic);
        let at = |place: usize, magic: &[u8]| {
            head.get(place..).is_some_and(|rest| rest.starts_with(magic))
        };
        Some(match head {
            _ if is_wave(head) => Self::Wave,
            _ if starts(b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) => Self::Aiff,
            _ if starts(b"caff") => Self::Caf,
            _ if starts(b"fLaC") => Self::Flac,
            _ if starts(b"OggS") => Self::Ogg,
            _ if at(4, b"ftyp") => Self::Mp4,
            // The reader finds the first frame.
            _ if starts(&[0xFF]) => Self::Mpeg,
            _ => return None,
        })
    }

    /// Opens a container, which begins at the start of the stream.
    fn open(self, mut stream: MediaSourceStream) -> Result<Box<dyn FormatReader>, DecodeError> {
        let options = FormatOptions::default();
        Ok(match self {
            Self::Wave => Box::new(WavReader::try_new(stream, &options)?),
            Self::Aiff => Box::new(AiffReader::try_new(stream, &options)?),
            Self::Caf => Box::new(CafReader::try_new(stream, &options)?),
            Self::Flac => Box::new(FlacReader::try_new(stream, &options)?),
            Self::Ogg => Box::new(OggReader::try_new(stream, &options)?),
            Self::Mpeg => Box::new(MpaReader::try_new(stream, &options)?),
            Self::Mp4 => {
                // The reader begins at the type of the first box, after its length.
                stream.read_quad_bytes()?;
                Box::new(IsoMp4Reader::try_new(stream, &options)?)
            }
        })
    }
}

impl Recording {
    /// Opens the first track that can be decoded.
    fn open(mut source: impl Read + Seek + Send + Sync + 'static) -> Result<Self, AudioError> {
        let unreadable = |error: io::Error| AudioError::Unreadable(error.to_string());
        let size = source.seek(SeekFrom::End(0)).map_err(unreadable)?;
        let found = container(&mut source).map_err(unreadable)?;
        let (mut container, start) = found.ok_or(AudioError::UnknownFormat)?;
        let size = size.saturating_sub(start);
        let mut part = Part::new(source, Vec::new(), start, size);
        let claims = || AudioError::Unreadable("it claims more than it has bytes for".to_owned());
        let mut has_pictures = false;
        match container {
            Container::Caf => {
                let is_true = caf::has_true_sizes(&mut part, size).map_err(unreadable)?;
                is_true.then_some(()).ok_or_else(claims)?;
            }
            Container::Mp4 => {
                let survey = mp4::survey(&mut part, size).map_err(unreadable)?;
                let survey = survey.ok_or_else(claims)?;
                has_pictures = survey.has_pictures;
            }
            Container::Wave => {
                let wave = Wave::read(&mut part, size).map_err(unreadable)?;
                let wave = wave.ok_or_else(|| {
                    AudioError::Unreadable("it has no samples, or no format".to_owned())
                })?;
                let (header, length) = match wave.is_mp3() {
                    true => (Vec::new(), wave.length),
                    false => wave.header(),
                };
                if wave.is_mp3() {
                    container = Container::Mpeg;
                }
                part = part.within(header, wave.start, length);
            }
            _ => {}
        }
        part.rewind().map_err(unreadable)?;
        let has_no_frame = |error: &io::Error| {
            container == Container::Mpeg && error.kind() == io::ErrorKind::UnexpectedEof
        };
        let stream = MediaSourceStream::new(Box::new(part), MediaSourceStreamOptions::default());
        let format = container.open(stream).map_err(|error| match error {
            DecodeError::Unsupported(_) => AudioError::UnknownFormat,
            DecodeError::IoError(error) if has_no_frame(&error) => AudioError::UnknownFormat,
            error => AudioError::Unreadable(error.to_string()),
        })?;
        let mut tracks = format.tracks().iter();
        let decoder = tracks.find_map(|track| {
            let parameters = checked(&track.codec_params)?;
            Some((CODECS.make(&parameters, &DecoderOptions::default()).ok()?, track.id))
        });
        let (decoder, track) = decoder.ok_or(AudioError::UnknownFormat)?;
        Ok(Self { format, decoder, track, has_pictures })
    }
}

/// Returns the parameters of a codec; `None` if it is unknown or would allocate too much.
fn checked(parameters: &CodecParameters) -> Option<CodecParameters> {
    let mut parameters = parameters.clone();
    match parameters.codec {
        CODEC_TYPE_NULL => return None,
        CODEC_TYPE_ALAC => {
            let cookie = parameters.extra_data.as_deref()?;
            // Some programs wrap the parameters in two boxes of twelve bytes.
            let is_wrapped = cookie.get(4..8) == Some(b"frma");
            let bare = if is_wrapped { cookie.get(24..)? } else { cookie };
            let frames = u32::from_be_bytes(bare.get(..4)?.try_into().ok()?);
            let bare = (frames <= MAX_ALAC_FRAMES).then(|| bare.into());
            parameters.extra_data = Some(bare?);
        }
        _ => {}
    }
    Some(parameters)
}

/// Returns the container of a recording, and its offset: tags and zeros may precede it. Returns `None` for
/// other content.
fn container(source: &mut (impl Read + Seek)) -> io::Result<Option<(Container, u64)>> {
    let (mut at, mut is_tagged) = (0, false);
    let mut head = vec![0; HEAD_BYTES];
    for _ in 0..MAX_TAGS {
        let length = read_at(source, at, &mut head)?;
        let head = &head[..length];
        if let Some(container) = Container::detect(head) {
            return Ok(Some((container, at)));
        }
        at += match (mpeg::tag_length(head), mpeg::padding(head)) {
            (Some(length), _) => {
                is_tagged = true;
                length
            }
            (None, Some(zeros)) => zeros as u64,
            (None, None) => break,
        };
    }
    // The reader finds the first frame after a tag that is longer than it says.
    Ok(is_tagged.then_some((Container::Mpeg, at)))
}

/// Returns the next packet; `None` at the end, also of a truncated file.
fn next_packet(format: &mut dyn FormatReader) -> Result<Option<Packet>, AudioError> {
    match format.next_packet() {
        Ok(packet) => Ok(Some(packet)),
        Err(DecodeError::IoError(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
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
            is_cut: false,
            has_pictures: false,
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

    const ALAC: &[u8] = include_bytes!("../../../../tests/fixtures/media/tune-alac.m4a");
    const CAF: &[u8] = include_bytes!("../../../../tests/fixtures/media/tune.caf");
    const ADPCM: &[u8] = include_bytes!("../../../../tests/fixtures/media/tune-adpcm.wav");
    const DASH: &[u8] = include_bytes!("../../../../tests/fixtures/media/tune-dash.mp4");
    const VIDEO: &[u8] = include_bytes!("../../../../tests/fixtures/media/tune-video.mp4");
    const FLAC: &[u8] = include_bytes!("../../../../tests/fixtures/media/tune.flac");
    const MP3: &[u8] = include_bytes!("../../../../tests/fixtures/media/tune.mp3");
    const M4A: &[u8] = include_bytes!("../../../../tests/fixtures/media/tune.m4a");

    /// Asserts that a file sounds like the tune of the fixtures.
    fn assert_heard(name: &str, bytes: &[u8]) -> DecodedAudio {
        let original = decode_audio(FLAC).unwrap().fingerprint;
        let heard = decode_audio(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let distances = heard.probes.iter().filter_map(|probe| distance(&original, probe));
        let nearest = distances.min().unwrap();
        assert!(nearest <= Scheme::AudioSounds.radius(), "{name}: {nearest}");
        heard
    }

    #[test]
    fn fixtures_of_every_codec_are_heard() {
        for (name, bytes) in
            [("ALAC", ALAC), ("CAF", CAF), ("ADPCM", ADPCM), ("fragments", DASH), ("MP3", MP3)]
        {
            assert!(!assert_heard(name, bytes).has_pictures, "{name}");
        }
        assert!(assert_heard("video", VIDEO).has_pictures);
    }

    #[test]
    fn oversized_alac_packets_are_rejected() {
        for file in [ALAC, CAF] {
            let mut file = file.to_vec();
            let parameters = b"alac\0\0\0\0\0\0\x10\0";
            let at = file.windows(12).position(|bytes| bytes == parameters).unwrap();
            file[at + 8..at + 12].fill(0xFF);
            assert_eq!(decode_audio(&file), Err(AudioError::UnknownFormat));
        }
    }

    #[test]
    fn any_brand_of_mp4_is_heard() {
        for brand in [b"isom", b"mp42", b"dash", b"M4B ", b"qt  "] {
            let mut file = M4A.to_vec();
            file[8..12].copy_from_slice(brand);
            assert_heard("AAC", &file);
        }
    }

    #[test]
    fn mp3_is_heard_after_tags_and_zeros() {
        let frames = &MP3[MP3.iter().position(|byte| *byte == 0xFF).unwrap()..];
        let tag = |length: u8| [&b"ID3\x03\0\0\0\0\0"[..], &[length], &[0; 40]].concat();
        for before in [vec![0; 1_024], tag(40), tag(30), [tag(40), tag(40)].concat()] {
            assert_heard("MP3", &[&before[..], frames].concat());
        }
        assert_heard("tagged FLAC", &[&tag(40)[..], FLAC].concat());
    }

    /// Returns the tune's samples: 16 bits, mono, at 16 kHz.
    fn samples() -> Vec<i16> {
        let mut recording = Recording::open(Cursor::new(FLAC)).unwrap();
        let mut all = Vec::new();
        while let Some(packet) = next_packet(&mut *recording.format).unwrap() {
            let decoded = recording.decoder.decode(&packet).unwrap();
            let mut samples = SampleBuffer::new(decoded.capacity() as u64, *decoded.spec());
            samples.copy_interleaved_ref(decoded);
            all.extend_from_slice(samples.samples());
        }
        all
    }

    fn riff_chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&name[..], &(body.len() as u32).to_le_bytes(), body].concat()
    }

    const FORMAT: &[u8] = b"\x01\0\x01\0\x80\x3E\0\0\0\x7D\0\0\x02\0\x10\0";

    #[test]
    fn long_wave_forms_are_heard() {
        let samples: Vec<u8> = samples().into_iter().flat_map(i16::to_le_bytes).collect();
        let long = samples.len() as u64;
        let sizes = [&[0; 8][..], &long.to_le_bytes(), &[0; 12]].concat();
        let mut rf64 = b"RF64\xFF\xFF\xFF\xFFWAVE".to_vec();
        rf64.extend([riff_chunk(b"ds64", &sizes), riff_chunk(b"fmt ", FORMAT)].concat());
        rf64.extend([&b"data\xFF\xFF\xFF\xFF"[..], &samples].concat());
        assert_heard("RF64", &rf64);
        const END: &[u8] = b"\xF3\xAC\xD3\x11\x8C\xD1\x00\xC0\x4F\x8E\xDB\x8A";
        let chunk = |name: &[u8; 4], body: &[u8]| {
            [&name[..], END, &(24 + body.len() as u64).to_le_bytes(), body].concat()
        };
        let riff = b"riff\x2E\x91\xCF\x11\xA5\xD6\x28\xDB\x04\xC1\x00\x00";
        let mut wave64 = [&riff[..], &[0; 8], b"wave", END].concat();
        wave64.extend([chunk(b"fmt ", FORMAT), chunk(b"data", &samples)].concat());
        assert_heard("Wave64", &wave64);
        // A recorder that was cut off.
        let mut cut = b"RIFF\0\0\0\0WAVE".to_vec();
        cut.extend([&riff_chunk(b"fmt ", FORMAT)[..], b"data\0\0\0\0", &samples].concat());
        assert_heard("WAV without lengths", &cut);
    }

    #[test]
    fn aiff_is_heard() {
        let samples: Vec<u8> = samples().into_iter().flat_map(i16::to_be_bytes).collect();
        let chunk = |name: &[u8; 4], body: &[u8]| {
            [&name[..], &(body.len() as u32).to_be_bytes(), body].concat()
        };
        let frames = (samples.len() / 2) as u32;
        // Channels, frames, bits, and the sample rate with 80 bits.
        let rate = b"\x40\x0C\xFA\0\0\0\0\0\0\0";
        let common = [&[0, 1][..], &frames.to_be_bytes(), &[0, 16], rate].concat();
        let sound = [&[0; 8][..], &samples].concat();
        let chunks = [&b"AIFF"[..], &chunk(b"COMM", &common), &chunk(b"SSND", &sound)].concat();
        let heard = assert_heard("AIFF", &chunk(b"FORM", &chunks));
        assert_eq!((heard.sample_rate, heard.milliseconds), (16_000, 6_000));
    }

    /// Source of zeros after a header, which counts what is read.
    struct Endless {
        header: Vec<u8>,
        length: u64,
        at: u64,
        read: std::sync::Arc<std::sync::atomic::AtomicU64>,
    }

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let left = usize::try_from(self.length.saturating_sub(self.at)).unwrap();
            let length = buffer.len().min(left);
            for (place, byte) in (self.at..).zip(&mut buffer[..length]) {
                // Notes of a second each.
                let note = 40 + mixed(place / 32_000) % 60;
                let beyond = (place / 2 / note % 2 * 40) as u8;
                *byte = self.header.get(place as usize).copied().unwrap_or(beyond);
            }
            self.at += length as u64;
            self.read.fetch_add(length as u64, std::sync::atomic::Ordering::Relaxed);
            Ok(length)
        }
    }

    impl Seek for Endless {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.at = match to {
                SeekFrom::Start(at) => at,
                SeekFrom::End(offset) => self.length.checked_add_signed(offset).unwrap(),
                SeekFrom::Current(offset) => self.at.checked_add_signed(offset).unwrap(),
            };
            Ok(self.at)
        }
    }

    #[test]
    fn master_of_hours_is_read_for_twenty_minutes() {
        let wave = Wave::for_test(FORMAT, 1 << 33);
        let read = std::sync::Arc::<std::sync::atomic::AtomicU64>::default();
        let (header, _) = wave.header();
        let source = Endless { header, length: 1 << 33, at: 0, read: read.clone() };
        let heard = read_audio(source).unwrap();
        assert!(heard.is_cut);
        assert_eq!((heard.milliseconds / 1_000, heard.fingerprint.scheme), (1_200, 6));
        let read = read.load(std::sync::atomic::Ordering::Relaxed);
        assert!(read < 40 * 1_024 * 1_024, "{read}");
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
