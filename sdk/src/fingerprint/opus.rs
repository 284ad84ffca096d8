//! Opus (RFC 6716) for symphonia, which finds the packets in Ogg (RFC 7845) and has no decoder.

use opus_decoder::OpusMultistreamDecoder;
use symphonia::core::{
    audio::{AsAudioBufferRef, AudioBuffer, AudioBufferRef, Signal, SignalSpec},
    codecs::{
        CODEC_TYPE_OPUS, CodecDescriptor, CodecParameters, Decoder, DecoderOptions, FinalizeResult,
    },
    errors::{Result, decode_error, unsupported_error},
    formats::Packet,
    support_codec,
};

/// What every stream is decoded to.
const SAMPLE_RATE: u32 = 48_000;
/// The longest packet lasts 120 ms.
const MAX_FRAMES: usize = 5_760;
/// Streams that a packet may carry: twice as many as the channels of the widest layout.
const MAX_STREAMS: usize = 16;

/// One recording's decoder, of all its streams.
pub struct OpusDecoder {
    parameters: CodecParameters,
    decoder: OpusMultistreamDecoder,
    channels: usize,
    interleaved: Vec<i16>,
    decoded: AudioBuffer<i16>,
}

impl Decoder for OpusDecoder {
    fn try_new(parameters: &CodecParameters, _: &DecoderOptions) -> Result<Self> {
        let Some(layout) = parameters.channels else {
            return unsupported_error("opus: no channels");
        };
        let channels = layout.count();
        let head = parameters.extra_data.as_deref().unwrap_or_default();
        let streams = Streams::read(head, channels);
        let decoder = streams.and_then(|streams| {
            let Streams { count, coupled, mapping } = streams;
            OpusMultistreamDecoder::new(SAMPLE_RATE, channels, count, coupled, &mapping).ok()
        });
        let Some(decoder) = decoder else {
            return unsupported_error("opus: streams are not laid out as the standard says");
        };
        let specification = SignalSpec::new(SAMPLE_RATE, layout);
        Ok(Self {
            parameters: parameters.clone(),
            decoder,
            channels,
            interleaved: vec![0; MAX_FRAMES * channels],
            decoded: AudioBuffer::new(MAX_FRAMES as u64, specification),
        })
    }

    fn supported_codecs() -> &'static [CodecDescriptor] {
        &[support_codec!(CODEC_TYPE_OPUS, "opus", "Opus")]
    }

    fn reset(&mut self) {
        self.decoder.reset();
    }

    fn codec_params(&self) -> &CodecParameters {
        &self.parameters
    }

    fn decode(&mut self, packet: &Packet) -> Result<AudioBufferRef<'_>> {
        self.decoded.clear();
        let frames = self.decoder.decode(packet.buf(), &mut self.interleaved, false);
        let Some(frames) = frames.ok().filter(|frames| *frames <= MAX_FRAMES) else {
            return decode_error("opus: a broken packet");
        };
        self.decoded.render_reserved(Some(frames));
        for channel in 0..self.channels {
            let samples = self.interleaved.iter().skip(channel).step_by(self.channels);
            for (to, from) in self.decoded.chan_mut(channel).iter_mut().zip(samples) {
                *to = *from;
            }
        }
        Ok(self.decoded.as_audio_buffer_ref())
    }

    fn finalize(&mut self) -> FinalizeResult {
        FinalizeResult::default()
    }

    fn last_decoded(&self) -> AudioBufferRef<'_> {
        self.decoded.as_audio_buffer_ref()
    }
}

/// How a packet's streams become channels.
struct Streams {
    count: usize,
    /// Those with two channels, which come first.
    coupled: usize,
    /// For each channel, which decoded one it is.
    mapping: Vec<u8>,
}

impl Streams {
    /// Reads the end of the identification header (RFC 7845, section 5.1).
    fn read(head: &[u8], channels: usize) -> Option<Self> {
        match *head.get(18..)? {
            [0, ..] if (1..=2).contains(&channels) => {
                Some(Self { count: 1, coupled: channels - 1, mapping: vec![0, 1][..channels].into() })
            }
            [1, count, coupled, ref mapping @ ..] => {
                let (count, coupled) = (usize::from(count), usize::from(coupled));
                let mapping = mapping.get(..channels)?.to_vec();
                (count <= MAX_STREAMS).then_some(Self { count, coupled, mapping })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_laid_out_as_the_header_says() {
        let mut head = b"OpusHead\x01\x02\x38\x01\x80\xBB\0\0\0\0\0".to_vec();
        let stereo = Streams::read(&head, 2).unwrap();
        assert_eq!((stereo.count, stereo.coupled, &stereo.mapping[..]), (1, 1, &[0, 1][..]));
        assert!(Streams::read(&head, 3).is_none(), "more channels than the mapping has");
        assert!(Streams::read(&head[..18], 2).is_none());
        head[18] = 1;
        head.extend([4, 2, 0, 4, 1, 2, 3, 5]);
        let surround = Streams::read(&head, 6).unwrap();
        assert_eq!((surround.count, surround.coupled, surround.mapping.len()), (4, 2, 6));
        head[19] = 200;
        assert!(Streams::read(&head, 6).is_none(), "too many streams");
    }
}
