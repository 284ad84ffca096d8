//! Opus decoder (RFC 6716) for symphonia, which reads the packets from Ogg (RFC 7845).

use ropus::{Channels, DecodeMode};
use symphonia::core::{
    audio::{AsAudioBufferRef, AudioBuffer, AudioBufferRef, Signal, SignalSpec},
    codecs::{
        CODEC_TYPE_OPUS, CodecDescriptor, CodecParameters, Decoder, DecoderOptions, FinalizeResult,
    },
    errors::{Result, decode_error, unsupported_error},
    formats::Packet,
    support_codec,
};

/// Sample rate of decoded audio.
const SAMPLE_RATE: u32 = 48_000;

/// Decoder of a recording with one or two channels. Multistream Opus is not supported.
pub struct OpusDecoder {
    parameters: CodecParameters,
    decoder: ropus::Decoder,
    channels: usize,
    interleaved: Vec<i16>,
    decoded: AudioBuffer<i16>,
}

impl Decoder for OpusDecoder {
    fn try_new(parameters: &CodecParameters, _: &DecoderOptions) -> Result<Self> {
        let layout = parameters.channels.unwrap_or_default();
        let channels = match layout.count() {
            1 => Channels::Mono,
            2 => Channels::Stereo,
            _ => return unsupported_error("opus: neither one channel nor two"),
        };
        let Ok(decoder) = ropus::Decoder::new(SAMPLE_RATE, channels) else {
            return unsupported_error("opus: the decoder cannot be made");
        };
        let (channels, frames) = (channels.count(), decoder.max_frame_samples_per_channel());
        let specification = SignalSpec::new(SAMPLE_RATE, layout);
        Ok(Self {
            parameters: parameters.clone(),
            decoder,
            channels,
            interleaved: vec![0; frames * channels],
            decoded: AudioBuffer::new(frames as u64, specification),
        })
    }

    fn supported_codecs() -> &'static [CodecDescriptor] {
        &[support_codec!(CODEC_TYPE_OPUS, "opus", "Opus")]
    }

    /// Opus recovers by itself within a few packets.
    fn reset(&mut self) {}

    fn codec_params(&self) -> &CodecParameters {
        &self.parameters
    }

    fn decode(&mut self, packet: &Packet) -> Result<AudioBufferRef<'_>> {
        self.decoded.clear();
        let packet = packet.buf();
        let frames = self.decoder.decode(packet, &mut self.interleaved, DecodeMode::Normal);
        let most = self.interleaved.len() / self.channels;
        let Some(frames) = frames.ok().filter(|frames| *frames <= most) else {
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
