//! Finds the end of a body. The bytes are not stored. They are forwarded unchanged, with two exceptions.
//!
//! * The chunked encoding is parsed strictly, but small faults of an origin are repaired.
//! * The fields of the trailer section are left out. A receiver may take such a field for a field of the head (RFC 9110
//!   section 6.5.1), and this proxy has removed all fields from the head that concern the proxy or the connection. No
//!   sender may rely on trailers, because this proxy removes `TE`.

use bytes::{Buf as _, Bytes, BytesMut};

use super::token::{is_control, is_token_byte};

/// Limit on the spaces after the size of a chunk, and on its extension, in bytes. No program is known to use
/// extensions.
const EXTENSION_MAX: u32 = 4 << 10;

/// Limit on the trailer section, in bytes.
const TRAILERS_MAX: u32 = 8 << 10;

/// The end of each line of the chunked encoding.
const LINE_END: &[u8] = b"\r\n";

/// Limit on the hexadecimal digits of a chunk's size: 64 bits.
const DIGITS_MAX: u8 = 16;

/// The way in which the length of a body is determined (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// The body has this many bytes.
    Length(u64),
    /// The body is in chunked encoding.
    Chunked,
    /// The body ends when the connection ends. Only a response may have this.
    UntilClose,
}

/// The progress through a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    state: State,
    /// Whether small faults of old servers are repaired. Some servers put spaces after the size of a chunk to pad it to
    /// a fixed width. Some end a line with a bare line feed.
    is_origin: bool,
    /// Whether the receiver gets only the content of the chunks, because it does not know the chunked encoding.
    unpacks: bool,
    /// Whether a bare line feed was repaired; see [`Body::was_repaired`].
    was_repaired: bool,
}

/// A fault in a chunked body. Such a body is refused, because different programs could parse it differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBody {
    /// A chunk does not begin with its size in hexadecimal digits.
    #[error("the size of a chunk is not a hexadecimal number of at most 16 digits")]
    Size,
    /// A line does not end with CR LF, or a chunk does not end where its size says.
    #[error("a chunk or its line does not end where it should")]
    End,
    /// There is a control character, or a trailer field without a name.
    #[error("a chunk's extension or a trailer field contains a character that has no place there")]
    Character,
    /// The spaces after a size, the extension or the trailers are too long.
    #[error("the line of a chunk's size or the trailer section is too long")]
    TooLong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The body has a known length, and this many bytes are missing.
    Length(u64),
    UntilClose,
    /// In the size of a chunk, after this many of its digits.
    Size {
        digits: u8,
        size: u64,
    },
    /// In the spaces after the size of a chunk, after this many spaces.
    Padding {
        size: u64,
        length: u32,
    },
    /// In the extension of a chunk, which ends with CR.
    Extension {
        size: u64,
        length: u32,
    },
    /// At the LF after the size of a chunk.
    SizeEnd {
        size: u64,
    },
    /// This many bytes of the chunk are still to come; at least one.
    Chunk(u64),
    /// At the CR after a chunk.
    ChunkCr,
    /// At the LF after a chunk.
    ChunkLf,
    /// In the trailer section after this many bytes.
    Trailer {
        place: Trailer,
        length: u32,
    },
    Complete,
    Bad(BadBody),
}

/// A position in a line of the trailer section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trailer {
    Start,
    Name,
    Value,
    /// At the LF that ends a field.
    Lf,
    /// At the LF of the empty line that ends the body.
    LastLf,
}

impl Body {
    /// The body that follows a client's head with this framing.
    pub const fn of_client(framing: Framing) -> Self {
        Self {
            state: match framing {
                Framing::None | Framing::Length(0) => State::Complete,
                Framing::Length(length) => State::Length(length),
                Framing::Chunked => State::Size { digits: 0, size: 0 },
                Framing::UntilClose => State::UntilClose,
            },
            is_origin: false,
            unpacks: false,
            was_repaired: false,
        }
    }

    /// The body that follows an origin's head with this framing.
    pub const fn of_origin(framing: Framing) -> Self {
        Self {
            is_origin: true,
            ..Self::of_client(framing)
        }
    }

    /// The same body for a receiver that does not know the chunked encoding.
    #[must_use]
    pub(super) const fn unpacked(self) -> Self {
        Self {
            unpacks: true,
            ..self
        }
    }

    /// Takes the next bytes of the body out of the buffer, in the form in which the receiver gets them. The result is
    /// empty if more bytes are needed, or if the body is complete. After a complete body, the rest of the buffer
    /// belongs to the next message. After an error, no more bytes may be forwarded.
    pub fn take(&mut self, buffer: &mut BytesMut) -> Result<Bytes, BadBody> {
        while !buffer.is_empty() && !self.is_complete() {
            let is_trailer = matches!(self.state, State::Trailer { .. });
            let is_data = matches!(
                self.state,
                State::Length(_) | State::UntilClose | State::Chunk(_)
            );
            let reach = if !self.unpacks {
                buffer.len()
            } else if let State::Chunk(missing) = self.state {
                pass(missing, buffer.len()).1
            } else if is_data {
                buffer.len()
            } else {
                1
            };
            let taken = self.advance(buffer.get(..reach).unwrap_or_default())?;
            let mut bytes = match taken {
                0 => self.repair(buffer.get_u8())?,
                _ => buffer.split_to(taken).freeze(),
            };
            if is_trailer {
                // Of the trailer section, only the final empty line is forwarded.
                bytes = Bytes::from_static(if self.is_complete() { LINE_END } else { b"" });
            }
            if !bytes.is_empty() && (is_data || !self.unpacks) {
                return Ok(bytes);
            }
        }
        Ok(Bytes::new())
    }

    /// Whether a bare line feed was repaired. If so, the sender may think that the body ends at another byte, and the
    /// connection must not be used again. Spaces that were left out do not count.
    pub const fn was_repaired(&self) -> bool {
        self.was_repaired
    }

    /// Skips a byte at which [`Body::advance`] has stopped. Returns what the receiver gets in its place: a complete
    /// line end for a bare line feed, and nothing for a space after the size of a chunk.
    fn repair(&mut self, byte: u8) -> Result<Bytes, BadBody> {
        let (next, bytes) = if byte == b'\n' {
            self.was_repaired = true;
            let at_line_feed = step(self.state, b'\r');
            let next = at_line_feed.and_then(|at_line_feed| step(at_line_feed, b'\n'));
            (next, LINE_END)
        } else {
            (pad(self.state), &b""[..])
        };
        self.state = next.unwrap_or_else(State::Bad);
        next.map(|_| Bytes::from_static(bytes))
    }

    /// Returns how many of the next bytes belong to the body and are treated in the same way. Bytes of the trailer
    /// section are left out, and others are forwarded unchanged. The count ends before a byte of an origin that has to
    /// be repaired.
    fn advance(&mut self, bytes: &[u8]) -> Result<usize, BadBody> {
        let mut rest = bytes;
        let is_trailer = |state| matches!(state, State::Trailer { .. });
        let begins_in_trailer = is_trailer(self.state);
        while let Some((byte, after)) = rest.split_first() {
            let is_fault = match byte {
                b'\n' => is_before_cr(self.state),
                b' ' | b'\t' => is_after_size(self.state),
                _ => false,
            };
            if (self.is_origin && is_fault) || (is_trailer(self.state) && !begins_in_trailer) {
                break;
            }
            let (next, taken) = match self.state {
                State::Complete => break,
                State::Bad(error) => return Err(error),
                State::UntilClose => (State::UntilClose, rest.len()),
                State::Length(missing) => {
                    let (missing, taken) = pass(missing, rest.len());
                    let next = if missing == 0 {
                        State::Complete
                    } else {
                        State::Length(missing)
                    };
                    (next, taken)
                }
                State::Chunk(missing) => {
                    let (missing, taken) = pass(missing, rest.len());
                    let next = if missing == 0 {
                        State::ChunkCr
                    } else {
                        State::Chunk(missing)
                    };
                    (next, taken)
                }
                state @ (State::Size { .. }
                | State::Padding { .. }
                | State::Extension { .. }
                | State::SizeEnd { .. }
                | State::ChunkCr
                | State::ChunkLf
                | State::Trailer { .. }) => (step(state, *byte).unwrap_or_else(State::Bad), 1),
            };
            self.state = next;
            if let State::Bad(error) = next {
                return Err(error);
            }
            rest = if taken == 1 {
                after
            } else {
                rest.get(taken..).unwrap_or_default()
            };
        }
        Ok(bytes.len() - rest.len())
    }

    /// Whether the whole body has passed.
    pub fn is_complete(&self) -> bool {
        self.state == State::Complete
    }

    /// Whether the body is complete if its sender ends the connection here. If it is not, the receiver must see a
    /// broken connection, and not a clean end.
    pub fn is_complete_at_end(&self) -> bool {
        self.is_complete() || self.state == State::UntilClose
    }
}

/// Whether a line may end here, so that a bare line feed of an origin can only mean the end of the line. In an
/// extension, it could have another meaning, because some programs take it for a part of the extension.
const fn is_before_cr(state: State) -> bool {
    matches!(
        state,
        State::Size { digits: 1.., .. }
            | State::Padding { .. }
            | State::ChunkCr
            | State::Trailer {
                place: Trailer::Start | Trailer::Value,
                ..
            }
    )
}

/// Whether the size of a chunk may end here. If so, a space from an origin can only follow the size.
const fn is_after_size(state: State) -> bool {
    matches!(
        state,
        State::Size { digits: 1.., .. } | State::Padding { .. }
    )
}

/// The state after one more space behind the size of a chunk.
fn pad(state: State) -> Result<State, BadBody> {
    let (size, length) = if let State::Padding { size, length } = state {
        (size, length)
    } else if let State::Size { size, .. } = state {
        (size, 0)
    } else {
        return Err(BadBody::Size);
    };
    Ok(State::Padding {
        size,
        length: count(length, EXTENSION_MAX)?,
    })
}

/// Consumes bytes of a chunk, or of a body with a known length. `missing` bytes of it were not consumed before, and
/// `there` bytes are available. Returns how many bytes are still missing then, and how many were consumed.
fn pass(missing: u64, there: usize) -> (u64, usize) {
    let taken = usize::try_from(missing).map_or(there, |missing| missing.min(there));
    (missing - taken as u64, taken)
}

/// Processes one byte of the chunked encoding outside of the chunks' data (RFC 9112 section 7.1).
fn step(state: State, byte: u8) -> Result<State, BadBody> {
    match (state, byte) {
        (State::Size { digits, size }, _) if byte.is_ascii_hexdigit() => {
            if digits == DIGITS_MAX {
                return Err(BadBody::Size);
            }
            let digit = char::from(byte).to_digit(16).ok_or(BadBody::Size)?;
            Ok(State::Size {
                digits: digits + 1,
                size: size << 4 | u64::from(digit),
            })
        }
        (
            State::Size { digits: 1.., size }
            | State::Padding { size, .. }
            | State::Extension { size, .. },
            b'\r',
        ) => Ok(State::SizeEnd { size }),
        (State::Size { digits: 1.., size } | State::Padding { size, .. }, b';') => {
            Ok(State::Extension { size, length: 0 })
        }
        (State::Size { .. } | State::Padding { .. }, _) => Err(BadBody::Size),
        (State::Extension { size, length }, _) => {
            check_text(byte)?;
            Ok(State::Extension {
                size,
                length: count(length, EXTENSION_MAX)?,
            })
        }
        (State::SizeEnd { size: 0 }, b'\n') => Ok(State::Trailer {
            place: Trailer::Start,
            length: 0,
        }),
        (State::SizeEnd { size }, b'\n') => Ok(State::Chunk(size)),
        (State::ChunkCr, b'\r') => Ok(State::ChunkLf),
        (State::ChunkLf, b'\n') => Ok(State::Size { digits: 0, size: 0 }),
        (State::Trailer { place, length }, _) => {
            let length = count(length, TRAILERS_MAX)?;
            Ok(trailer(place, byte)?
                .map_or(State::Complete, |place| State::Trailer { place, length }))
        }
        _ => Err(BadBody::End),
    }
}

/// The next position in the trailer section; `None` at its end.
fn trailer(place: Trailer, byte: u8) -> Result<Option<Trailer>, BadBody> {
    match (place, byte) {
        (Trailer::Start, b'\r') => Ok(Some(Trailer::LastLf)),
        (Trailer::LastLf, b'\n') => Ok(None),
        (Trailer::Lf, b'\n') => Ok(Some(Trailer::Start)),
        (Trailer::LastLf | Trailer::Lf, _) => Err(BadBody::End),
        (Trailer::Name, b':') => Ok(Some(Trailer::Value)),
        (Trailer::Start | Trailer::Name, _) if is_token_byte(byte) => Ok(Some(Trailer::Name)),
        (Trailer::Start | Trailer::Name, _) => Err(BadBody::Character),
        (Trailer::Value, b'\r') => Ok(Some(Trailer::Lf)),
        (Trailer::Value, _) => check_text(byte).map(|()| Some(Trailer::Value)),
    }
}

fn check_text(byte: u8) -> Result<(), BadBody> {
    if byte != b'\t' && is_control(byte) {
        return Err(BadBody::Character);
    }
    Ok(())
}

fn count(length: u32, max: u32) -> Result<u32, BadBody> {
    if length == max {
        return Err(BadBody::TooLong);
    }
    Ok(length + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Passes these bytes to a body in pieces of this size. Returns how many of them belong to the body, and whether
    /// the body is complete.
    fn run(framing: Framing, bytes: &[u8], piece: usize) -> Result<(usize, bool), BadBody> {
        let mut body = Body::of_client(framing);
        let (mut buffer, mut taken) = (BytesMut::new(), 0);
        for piece in bytes.chunks(piece) {
            buffer.extend_from_slice(piece);
            let before = buffer.len();
            while !body.take(&mut buffer)?.is_empty() {}
            taken += before - buffer.len();
            if !buffer.is_empty() {
                break;
            }
        }
        Ok((taken, body.is_complete()))
    }

    fn chunked(text: &str) -> Result<(usize, bool), BadBody> {
        run(Framing::Chunked, text.as_bytes(), usize::MAX)
    }

    #[test]
    fn a_body_ends_where_its_framing_says() {
        assert_eq!(run(Framing::None, b"next", 9), Ok((0, true)));
        assert_eq!(run(Framing::Length(0), b"next", 9), Ok((0, true)));
        assert_eq!(run(Framing::Length(3), b"abcnext", 9), Ok((3, true)));
        assert_eq!(run(Framing::Length(9), b"abc", 9), Ok((3, false)));
        assert_eq!(run(Framing::UntilClose, b"abc", 9), Ok((3, false)));
        assert_eq!(chunked("3\r\nabc\r\n0\r\n\r\nnext"), Ok((13, true)));
        assert_eq!(
            chunked("A;a=\"b\"\r\n0123456789\r\n00\r\nT: x\r\nU:\r\n\r\n"),
            Ok((37, true))
        );
        assert_eq!(chunked("3\r\nab"), Ok((5, false)));
        assert_eq!(chunked("ffffffffffffffff\r\nab"), Ok((20, false)));
    }

    #[test]
    fn a_connection_that_ends_early_broke_the_body() {
        let at_end = |framing, bytes: &[u8]| {
            let (_, body) = received(Body::of_client(framing), bytes, 100).unwrap();
            body.is_complete_at_end()
        };
        assert!(at_end(Framing::UntilClose, b"ab"));
        assert!(at_end(Framing::Length(2), b"ab"));
        assert!(!at_end(Framing::Length(3), b"ab"));
        assert!(!at_end(Framing::Chunked, b"2\r\nab\r\n"));
        assert!(!at_end(Framing::Chunked, b"2\r\nab\r\n0\r\n"));
        assert!(at_end(Framing::Chunked, b"0\r\n\r\n"));
    }

    #[test]
    fn chunks_that_could_be_read_in_two_ways_are_refused() {
        for (text, error) in [
            ("\r\n", BadBody::Size),
            ("+3\r\nabc\r\n", BadBody::Size),
            ("0x3\r\nabc\r\n", BadBody::Size),
            (" 3\r\nabc\r\n", BadBody::Size),
            ("3 \r\nabc\r\n", BadBody::Size),
            ("3\nabc\r\n", BadBody::Size),
            ("00000000000000003\r\nabc", BadBody::Size),
            ("3;\nabc", BadBody::Character),
            ("3;\0\r\nabc", BadBody::Character),
            ("3\r\rabc", BadBody::End),
            ("3\r\nabcd\r\n", BadBody::End),
            ("3\r\nabc\n", BadBody::End),
            ("0\r\nno field\r\n\r\n", BadBody::Character),
            ("0\r\n: x\r\n\r\n", BadBody::Character),
            ("0\r\nT: x\n\r\n", BadBody::Character),
            ("0\r\n\rx", BadBody::End),
        ] {
            assert_eq!(chunked(text), Err(error), "{text:?}");
        }
        let long = format!("3;{}", "x".repeat(5_000));
        assert_eq!(chunked(&long), Err(BadBody::TooLong));
        let long = format!("0\r\n{}", "T: x\r\n".repeat(2_000));
        assert_eq!(chunked(&long), Err(BadBody::TooLong));
    }

    #[test]
    fn a_bad_body_stays_bad() {
        let mut body = Body::of_client(Framing::Chunked);
        assert!(body.advance(b"x").is_err());
        assert!(body.advance(b"3\r\nabc\r\n0\r\n\r\n").is_err());
        assert!(!body.is_complete_at_end());
    }

    #[test]
    fn only_an_origin_may_write_spaces_after_the_size_of_a_chunk_and_they_reach_nobody() {
        let sent = b"5 \t\r\nhello\r\n1  ;a=b \r\n!\r\n0  \r\n\r\n";
        for piece in [1, 2, 3, 100] {
            let (got, body) = received(Body::of_origin(Framing::Chunked), sent, piece).unwrap();
            assert_eq!(got, "5\r\nhello\r\n1;a=b \r\n!\r\n0\r\n\r\n");
            assert!(body.is_complete() && !body.was_repaired());
            let refused = received(Body::of_client(Framing::Chunked), sent, piece);
            assert_eq!(refused, Err(BadBody::Size));
        }
        let many = [&b"5"[..], &[b' '; 5_000][..], b"\r\nhello"].concat();
        for (bytes, error) in [
            (&b" 5\r\n"[..], BadBody::Size),
            (b"5 6\r\n", BadBody::Size),
            (&many, BadBody::TooLong),
        ] {
            let refused = received(Body::of_origin(Framing::Chunked), bytes, 100);
            assert_eq!(refused, Err(error));
        }
    }

    #[test]
    fn no_field_of_a_trailer_section_reaches_anybody() {
        let sent = b"2\r\nab\r\n0;x\r\nHost: other\r\nProxy-Authorization: Basic x\r\n\r\nnext";
        for piece in [1, 2, 3, 100] {
            for begin in [Body::of_client, Body::of_origin] {
                let (got, body) = received(begin(Framing::Chunked), sent, piece).unwrap();
                assert_eq!(got, "2\r\nab\r\n0;x\r\n\r\n");
                assert!(body.is_complete() && !body.was_repaired());
            }
        }
        let unfinished = b"0\r\nHost: other\r\n";
        let (got, body) = received(Body::of_client(Framing::Chunked), unfinished, 100).unwrap();
        assert_eq!(got, "0\r\n", "the receiver sees a body without its end");
        assert!(!body.is_complete_at_end());
    }

    /// Passes `bytes` to a body, `piece` bytes at a time. Returns what the receiver gets, and the body. Bytes after the
    /// end of the body are left out.
    fn received(mut body: Body, bytes: &[u8], piece: usize) -> Result<(String, Body), BadBody> {
        let (mut buffer, mut received) = (BytesMut::new(), Vec::new());
        for piece in bytes.chunks(piece) {
            buffer.extend_from_slice(piece);
            loop {
                let now = body.take(&mut buffer)?;
                if now.is_empty() {
                    break;
                }
                received.extend_from_slice(&now);
            }
        }
        Ok((String::from_utf8(received).unwrap(), body))
    }

    #[test]
    fn bare_line_feeds_between_an_origins_chunks_reach_nobody() {
        let sent = b"3\nabc\n2 \nde\r\n0\nT: x\n\nnext";
        let right = "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        for piece in [1, 2, 3, 100] {
            let (got, body) = received(Body::of_origin(Framing::Chunked), sent, piece).unwrap();
            assert_eq!(got, right);
            assert!(body.is_complete() && body.was_repaired());
            let (again, body) =
                received(Body::of_origin(Framing::Chunked), got.as_bytes(), piece).unwrap();
            assert_eq!(again, got);
            assert!(body.is_complete() && !body.was_repaired());
        }
        // A line feed that can be read in two ways is still refused, and so is every bare line feed of a client.
        for bytes in [&b"3;a\nabc"[..], b"\n3\r\n", b"0\r\nT\n"] {
            assert!(received(Body::of_origin(Framing::Chunked), bytes, 100).is_err());
        }
        assert!(received(Body::of_client(Framing::Chunked), sent, 100).is_err());
    }

    #[test]
    fn a_receiver_that_knows_no_chunks_gets_what_is_in_them() {
        for piece in [1, 2, 3, 100] {
            let sent = b"3\r\nabc\r\n2;x=y\r\nd\n\r\n0\r\nT: x\r\n\r\nnext";
            let body = Body::of_origin(Framing::Chunked).unpacked();
            let (got, body) = received(body, sent, piece).unwrap();
            assert_eq!(got, "abcd\n");
            assert!(body.is_complete());
            let body = Body::of_origin(Framing::Chunked).unpacked();
            let (got, body) = received(body, b"3\nabc\n4\nde", piece).unwrap();
            assert_eq!(got, "abcde");
            assert!(!body.is_complete_at_end());
        }
    }

    proptest! {
        #[test]
        fn any_split_finds_the_same_end(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
            next in prop::collection::vec(any::<u8>(), 0..9),
            broken in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
            piece in 1_usize..20,
        ) {
            let mut bytes = Vec::new();
            for chunk in &chunks {
                bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\nT: x\r\n\r\n");
            let length = bytes.len();
            bytes.extend(&next);
            let whole = run(Framing::Chunked, &bytes, usize::MAX);
            prop_assert_eq!(whole, Ok((length, true)));
            if let Some((at, byte)) = broken {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let whole = run(Framing::Chunked, &bytes, usize::MAX);
            prop_assert_eq!(run(Framing::Chunked, &bytes, piece), whole);
        }
    }
}
