//! Decodes bytes into frames, no matter how the bytes are split, and encodes frames. A length is always checked before
//! it is used.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{
    layout::{BANNER_MAX, HEADER_LEN, Kind, LENGTH_OVERHEAD, MAGIC, PACKET_MAX},
    sum,
};

/// A whole packet frame, kept as it arrived so that it can be forwarded without a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketFrame(Bytes);

impl PacketFrame {
    /// Puts a header in front of an IPv4 packet of at most [`PACKET_MAX`] bytes.
    pub fn new(packet: &[u8]) -> Self {
        Self(framed(packet).freeze())
    }

    /// Makes a frame like [`PacketFrame::new`], and writes its [sum] into the header.
    pub fn sealed(packet: &[u8]) -> Self {
        let mut frame = framed(packet);
        sum::seal(&mut frame);
        Self(frame.freeze())
    }

    /// The IPv4 packet inside; not checked yet.
    pub fn payload(&self) -> &[u8] {
        self.0.get(HEADER_LEN..).unwrap_or_default()
    }

    /// A copy of the frame in its own memory, so that it does not keep a larger buffer alive.
    #[must_use]
    pub fn into_own(self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }

    /// The frame as it goes onto a link.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }

    /// The frame's length on a link, in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no packet inside.
    pub fn is_empty(&self) -> bool {
        self.payload().is_empty()
    }
}

fn framed(packet: &[u8]) -> BytesMut {
    let mut frame = BytesMut::with_capacity(HEADER_LEN + packet.len());
    put_header(&mut frame, Kind::Packet, packet.len());
    frame.put_slice(packet);
    frame
}

/// Appends a control frame to `out`. `json` must have at most [`super::CONTROL_MAX_FROM_MANAGER`] bytes.
pub fn put_control(out: &mut BytesMut, json: &[u8]) {
    put_header(out, Kind::Control, json.len());
    out.put_slice(json);
}

/// Appends a packet frame of `len` bytes to `out` and lets `fill` write the packet, so that a stack can write directly
/// into the link's output buffer.
pub fn put_packet<R>(out: &mut BytesMut, len: usize, fill: impl FnOnce(&mut [u8]) -> R) -> R {
    put_header(out, Kind::Packet, len);
    let start = out.len();
    out.put_bytes(0, len);
    fill(out.get_mut(start..).unwrap_or_default())
}

fn put_header(out: &mut BytesMut, kind: Kind, payload: usize) {
    out.reserve(HEADER_LEN + payload);
    let length = u32::try_from(payload + LENGTH_OVERHEAD).unwrap_or(u32::MAX);
    out.put_u32(u32::from(MAGIC) << 24 | length & 0x00ff_ffff);
    out.put_u16(kind as u16);
    out.put_u16(0);
}

/// An item that a [`Decoder`] has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A packet for the switch or the stack.
    Packet(PacketFrame),
    /// The JSON of a control message; not parsed yet.
    Control(Bytes),
    /// A packet whose sum differs from the one in its frame; it was skipped.
    Damaged,
    /// A frame of this unknown type; it was skipped.
    Unknown(u16),
}

/// The reason why a stream cannot be decoded any further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Desync {
    /// These four bytes were found where a frame should begin. They do not begin with the magic byte, or they have a
    /// length that a frame cannot have.
    #[error("the stream is out of step: found {0:02x?} where a frame should begin")]
    Header([u8; 4]),
    /// A control message is too long.
    #[error("a message of {bytes} bytes, where {most} are the most")]
    TooLong {
        /// The length of the message, in bytes.
        bytes: usize,
        /// The greatest length allowed, in bytes.
        most: usize,
    },
    /// The sum of a control message differs from the one in its frame. The content is unknown, and the message will not
    /// be sent again.
    #[error("the way to the agent changes what it carries: a message has a wrong sum")]
    Sum,
    /// There is no frame within the first [`BANNER_MAX`] bytes.
    #[error("no frame within the first {} KiB", BANNER_MAX >> 10)]
    Banner,
}

/// Decodes the bytes of one direction of a link into frames.
///
/// The decoder does not own a buffer: the reader appends to a [`BytesMut`], and [`Decoder::poll`] takes whole frames
/// from the front of this buffer.
#[derive(Clone, Debug)]
pub struct Decoder {
    control_max: usize,
    checks_packets: bool,
    state: State,
    banner: Vec<u8>,
    /// The first bytes of a part that is either the first frame or still the banner; at most `DOUBTFUL_MAX` bytes.
    doubtful: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first frame: everything that is not a control frame belongs to the banner.
    Banner,
    /// After the banner: the stream consists of frames only.
    InStep,
}

impl Decoder {
    /// Makes a decoder for the stream that an agent reads. Such a stream begins with a frame. `control_max` is the
    /// maximum length of a control message, in bytes.
    pub fn new(control_max: usize) -> Self {
        Self {
            control_max,
            checks_packets: true,
            state: State::InStep,
            banner: Vec::new(),
            doubtful: Vec::new(),
        }
    }

    /// Makes a decoder for the stream that a manager reads. The stream may begin with a banner of up to [`BANNER_MAX`]
    /// bytes, before the first control frame. The decoder does not check the sums of packets: the agents that receive
    /// the packets do that.
    pub fn with_banner(control_max: usize) -> Self {
        Self {
            checks_packets: false,
            state: State::Banner,
            ..Self::new(control_max)
        }
    }

    /// The bytes received before the first frame. Bytes that may be the beginning of a frame are included until it is
    /// clear that they are one.
    pub fn banner(&self) -> Vec<u8> {
        [&self.banner[..], &self.doubtful].concat()
    }

    /// The next frame at the front of `buffer`, or `None` until more bytes have arrived.
    pub fn poll(&mut self, buffer: &mut BytesMut) -> Result<Option<Item>, Desync> {
        loop {
            match self.state {
                State::Banner => {
                    if !self.skip_banner(buffer)? {
                        return Ok(None);
                    }
                    self.state = State::InStep;
                }
                State::InStep => return self.take(buffer),
            }
        }
    }

    fn take(&mut self, buffer: &mut BytesMut) -> Result<Option<Item>, Desync> {
        let Some(header) = Header::parse(buffer)? else {
            return Ok(None);
        };
        let (bytes, most) = (header.payload, self.control_max);
        if header.kind == Kind::Control as u16 && bytes > most {
            return Err(Desync::TooLong { bytes, most });
        }
        if !header.can_be(most) {
            return Err(Desync::Header(header.start));
        }
        let whole = HEADER_LEN + header.payload;
        if buffer.len() < whole {
            // No memory is reserved here for the rest of the frame. The caller manages the buffer, and makes room in
            // it.
            return Ok(None);
        }
        let mut frame = buffer.split_to(whole).freeze();
        if !header.is_known() {
            return Ok(Some(Item::Unknown(header.kind)));
        }
        let is_packet = header.kind == Kind::Packet as u16;
        let is_changed = (self.checks_packets || !is_packet)
            && !header.is_sum_of(frame.get(HEADER_LEN..).unwrap_or_default());
        if is_packet {
            let damaged = is_changed.then_some(Item::Damaged);
            return Ok(damaged.or(Some(Item::Packet(PacketFrame(frame)))));
        }
        if is_changed {
            return Err(Desync::Sum);
        }
        frame.advance(HEADER_LEN);
        Ok(Some(Item::Control(frame)))
    }

    /// Moves everything before the first control frame from `buffer` to the banner. Returns true once such a frame is
    /// at the front of `buffer`.
    fn skip_banner(&mut self, buffer: &mut BytesMut) -> Result<bool, Desync> {
        self.doubtful.clear();
        loop {
            let text = buffer
                .iter()
                .position(|&byte| byte == MAGIC)
                .unwrap_or(buffer.len());
            self.banner.extend_from_slice(&buffer.split_to(text));
            if self.banner.len() > BANNER_MAX {
                return Err(Desync::Banner);
            }
            match looks_like_control(buffer) {
                Guess::Yes => return Ok(true),
                Guess::MoreBytes => {
                    let begun = buffer.get(..DOUBTFUL_MAX).unwrap_or(buffer);
                    self.doubtful.extend_from_slice(begun);
                    return Ok(false);
                }
                Guess::No => {
                    self.banner.push(MAGIC);
                    buffer.advance(1);
                }
            }
        }
    }
}

/// The number of bytes of a possible first frame that are examined each time that more of it arrives.
const DOUBTFUL_MAX: usize = 256;

enum Guess {
    Yes,
    No,
    MoreBytes,
}

/// Whether a control frame with a JSON object begins here. A `B` in a banner is the magic byte, but must not be
/// mistaken for a frame, so the whole message is checked. The check fails as early as possible, so that a banner does
/// not make us wait for a message that never comes.
fn looks_like_control(buffer: &[u8]) -> Guess {
    let header = match Header::parse(buffer) {
        Ok(Some(header)) => header,
        Ok(None) => return Guess::MoreBytes,
        Err(_) => return Guess::No,
    };
    let plausible = header.kind == Kind::Control as u16
        && header.payload <= BANNER_MAX
        && buffer.get(HEADER_LEN).is_none_or(|&byte| byte == b'{');
    if !plausible {
        return Guess::No;
    }
    let read = serde_json::from_slice::<serde::de::IgnoredAny>;
    if let Some(json) = buffer.get(HEADER_LEN..HEADER_LEN + header.payload) {
        return if header.is_sum_of(json) && read(json).is_ok() {
            Guess::Yes
        } else {
            Guess::No
        };
    }
    let begun = buffer.get(HEADER_LEN..).unwrap_or_default();
    let begun = begun.get(..DOUBTFUL_MAX).unwrap_or(begun);
    // A number that is cut off may look invalid although the whole number is valid. Therefore signs, points and
    // exponents at the end are ignored.
    let signs = |byte: &u8| b"-+.eE".contains(byte);
    let end = begun.iter().rposition(|byte| !signs(byte));
    let begun = begun.get(..end.map_or(0, |last| last + 1));
    match read(begun.unwrap_or_default()) {
        Err(error) if !error.is_eof() => Guess::No,
        _ => Guess::MoreBytes,
    }
}

struct Header {
    start: [u8; 4],
    kind: u16,
    sum: u16,
    payload: usize,
}

impl Header {
    fn parse(buffer: &[u8]) -> Result<Option<Self>, Desync> {
        let Some(&first) = buffer.first() else {
            return Ok(None);
        };
        let mut start = [0; 4];
        for (to, from) in start.iter_mut().zip(buffer) {
            *to = *from;
        }
        if first != MAGIC {
            return Err(Desync::Header(start));
        }
        let Some(mut bytes) = buffer.get(..HEADER_LEN) else {
            return Ok(None);
        };
        let length = (bytes.get_u32() & 0x00ff_ffff) as usize;
        let Some(payload) = length.checked_sub(LENGTH_OVERHEAD) else {
            return Err(Desync::Header(start));
        };
        Ok(Some(Self {
            start,
            kind: bytes.get_u16(),
            sum: bytes.get_u16(),
            payload,
        }))
    }

    fn is_known(&self) -> bool {
        [Kind::Packet, Kind::Control]
            .map(|kind| kind as u16)
            .contains(&self.kind)
    }

    fn can_be(&self, control_max: usize) -> bool {
        let is_packet = self.kind == Kind::Packet as u16;
        self.payload <= if is_packet { PACKET_MAX } else { control_max }
    }

    fn is_sum_of(&self, payload: &[u8]) -> bool {
        self.sum == 0 || self.sum == sum::of(self.kind, payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn control(json: &str) -> Vec<u8> {
        let mut out = BytesMut::new();
        put_control(&mut out, json.as_bytes());
        out.to_vec()
    }

    fn packet(bytes: &[u8]) -> Vec<u8> {
        PacketFrame::new(bytes).into_bytes().to_vec()
    }

    /// Feeds the pieces of a stream to the decoder, and returns the decoded items.
    fn decode(decoder: &mut Decoder, pieces: &[&[u8]]) -> Result<Vec<Item>, Desync> {
        let (mut buffer, mut items) = (BytesMut::new(), Vec::new());
        for piece in pieces {
            buffer.extend_from_slice(piece);
            while let Some(item) = decoder.poll(&mut buffer)? {
                items.push(item);
            }
        }
        Ok(items)
    }

    #[test]
    fn a_frame_looks_as_upstream_writes_it() {
        assert_eq!(
            control("{}"),
            [0x42, 0, 0, 6, 0, 2, 0, 0, b'{', b'}'],
            "magic, length of the rest, type, reserved, payload"
        );
        assert_eq!(packet(&[7; 3]), [0x42, 0, 0, 7, 0, 1, 0, 0, 7, 7, 7]);
    }

    #[test]
    fn a_frame_of_an_unknown_type_is_skipped_in_step() {
        let mut stream = vec![0x42, 0, 0, 6, 0, 9, 0, 0, 1, 2];
        stream.extend(packet(b"ok"));
        let items = decode(&mut Decoder::new(100), &[&stream]).unwrap();
        let ok = Item::Packet(PacketFrame::new(b"ok"));
        assert_eq!(items, [Item::Unknown(9), ok]);
    }

    #[test]
    fn a_length_that_its_type_cannot_have_is_fatal() {
        for header in [
            [0x42, 0, 0, 105, 0, 9, 0, 0],
            [0x42, 0x01, 0, 0x04, 0, 1, 0, 0],
        ] {
            let error = decode(&mut Decoder::new(100), &[&packet(b"ok"), &header]).unwrap_err();
            assert_eq!(
                error,
                Desync::Header([header[0], header[1], header[2], header[3]])
            );
        }
        let message = [0x42, 0, 0, 105, 0, 2, 0, 0];
        let error = decode(&mut Decoder::new(100), &[&message]).unwrap_err();
        let (bytes, most) = (101, 100);
        assert_eq!(error, Desync::TooLong { bytes, most });
    }

    #[test]
    fn a_length_that_cannot_be_is_fatal() {
        let error = decode(&mut Decoder::new(100), &[&[0x42, 0, 0, 3, 0, 1, 0, 0]]).unwrap_err();
        assert_eq!(error, Desync::Header([0x42, 0, 0, 3]));
        let error = decode(&mut Decoder::new(100), &[b"Welcome"]).unwrap_err();
        assert!(error.to_string().contains("out of step"), "{error}");
    }

    #[test]
    fn a_banner_is_kept_and_skipped() {
        let banners: [&[u8]; 6] = [
            b"Welcome to db1\r\n",
            b"B",
            b"BB\0\0\x04BBBB\0\0\x0a\0\x02\0\0nojson",
            "Gr\u{fc}\u{df}e, B\u{e4}r\n".as_bytes(),
            b"B\0\0\x08\0\x02\0\0{,}}",
            b"",
        ];
        for banner in banners {
            let mut decoder = Decoder::with_banner(1000);
            let stream = [banner, &control(r#"{"type":"result"}"#), &packet(b"p")].concat();
            let items = decode(&mut decoder, &[&stream]).unwrap();
            assert_eq!(items.len(), 2, "after {banner:?}");
            assert_eq!(decoder.banner(), banner);
        }
    }

    #[test]
    fn what_may_be_a_frame_is_told_of_while_it_is_not_whole() {
        let mut decoder = Decoder::with_banner(1000);
        let mut buffer = BytesMut::from(&b"motd B\0\0\x44\0\x02\0\0{\"a"[..]);
        assert_eq!(decoder.poll(&mut buffer), Ok(None));
        assert_eq!(decoder.banner(), b"motd B\0\0\x44\0\x02\0\0{\"a");
        // These bytes could be the beginning of a frame, until something follows that is not valid JSON.
        buffer.extend_from_slice(b"\"?");
        assert_eq!(decoder.poll(&mut buffer), Ok(None));
        assert!(buffer.is_empty(), "it is banner");
        assert_eq!(decoder.banner(), b"motd B\0\0\x44\0\x02\0\0{\"a\"?");
    }

    #[test]
    fn a_banner_without_end_is_refused() {
        let mut decoder = Decoder::with_banner(1000);
        let error = decode(&mut decoder, &[&vec![b'x'; BANNER_MAX + 1]]).unwrap_err();
        assert_eq!(error, Desync::Banner);
    }

    proptest! {
        #[test]
        fn any_split_of_the_same_bytes_gives_the_same_frames(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..8),
            banner in prop::collection::vec(any::<u8>(), 0..40),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let first = format!(r#"{{"n":[-1.5e+30,true,null],"pad":"{}","m":-2E-7}}"#, "\\u00e9".repeat(50));
            let mut stream = [banner, control(&first)].concat();
            for payload in &payloads {
                stream.extend(packet(payload));
            }
            let whole = decode(&mut Decoder::with_banner(1000), &[&stream]);
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let pieces: Vec<_> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
            let split = decode(&mut Decoder::with_banner(1000), &pieces);
            prop_assert_eq!(&whole, &split);
            prop_assert!(whole.unwrap().len() > payloads.len());
        }

        #[test]
        fn no_bytes_whatever_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = decode(&mut Decoder::new(64), &[&bytes]);
            let _ = decode(&mut Decoder::with_banner(64), &[&bytes]);
        }
    }
}
