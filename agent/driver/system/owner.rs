//! Asks the kernel for the owner of a TCP socket of this machine (`sock_diag`). This takes one netlink message and one
//! answer. It needs no privileges, and does not read the list of all sockets.
//!
//! If the kernel does not report an owner, the owner is unknown. If a client's socket has been closed, the kernel may
//! report root or nobody as its owner; such a report is ignored.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    os::fd::OwnedFd,
};

use rustix::{
    io::Errno,
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, connect,
        netlink::{SOCK_DIAG, SocketAddrNetlink},
        recv, send, socket_with,
    },
    process::geteuid,
};

use crate::text::escape;

/// Sizes of `nlmsghdr`, `inet_diag_req_v2`, `inet_diag_sockid` and `inet_diag_msg`, in bytes.
const HEADER: usize = 16;
const QUESTION: usize = 8 + SOCKET_ID;
const SOCKET_ID: usize = 48;
const ANSWER: usize = 4 + SOCKET_ID + 20;

/// `SOCK_DIAG_BY_FAMILY`, `NLM_F_REQUEST`, `NLMSG_ERROR`, `IPPROTO_TCP`, `AF_INET`, `AF_INET6`.
const BY_FAMILY: u16 = 20;
const REQUEST: u16 = 1;
const ERROR: u16 = 2;
const TCP: u8 = 6;
const INET: u8 = 2;
const INET6: u8 = 10;

/// The user id that stands for all users who do not have a number in this user namespace
/// (`/proc/sys/kernel/overflowuid`).
const OVERFLOW: u32 = 65_534;

/// The states (`tcp_states.h`) of a TCP socket that a program has open and that does not listen. Sockets in `TIME_WAIT`
/// and in the handshake are not among them, because they have no owner.
const HELD_BY_A_PROGRAM: &[u8] = &[1, 4, 5, 8, 9, 11];
/// The state of a TCP socket that listens.
const LISTENING: u8 = 10;

/// A netlink socket for questions about the owners of sockets. An agent needs only one.
#[derive(Debug)]
pub(crate) struct SocketOwners {
    netlink: OwnedFd,
    /// The number of the last message that was sent.
    asked: u32,
}

/// A socket as the kernel reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SocketOwner {
    /// The user who made the socket.
    pub(crate) user: u32,
    /// The inode of the socket, with which its program can be found.
    inode: u32,
}

impl SocketOwners {
    /// Opens the netlink socket. Fails if the kernel cannot be asked, or cannot distinguish owners.
    pub(crate) fn open() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let netlink = socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            flags,
            Some(SOCK_DIAG),
        )?;
        // From now on, only the kernel can send messages to this socket.
        connect(&netlink, &SocketAddrNetlink::new(0, 0))?;
        let mut owners = Self { netlink, asked: 0 };
        // There is never a socket with these addresses. The question only tests whether the kernel has the module that
        // answers such questions.
        let nobody = SocketAddr::from(([127, 0, 0, 1], 0));
        owners.ask(nobody, nobody)?;
        if geteuid().as_raw() == OVERFLOW && !all_users_have_numbers() {
            let why = "this user namespace has one number for this user and for all whom it does not know";
            return Err(io::Error::other(why));
        }
        Ok(owners)
    }

    /// The owner of the socket at `client` that is connected to `server`. `None` if that socket is closed.
    pub(crate) fn of_client(
        &mut self,
        client: SocketAddr,
        server: SocketAddr,
    ) -> io::Result<Option<SocketOwner>> {
        let found = self.ask(client, server)?;
        Ok(held(found, HELD_BY_A_PROGRAM))
    }

    /// The owner of the socket that listens at an address; `None` if there is none.
    pub(crate) fn of_listener(&mut self, address: SocketAddr) -> io::Result<Option<SocketOwner>> {
        let nobody = match address.ip().to_canonical() {
            IpAddr::V4(_) => SocketAddr::from(([0, 0, 0, 0], 0)),
            IpAddr::V6(_) => SocketAddr::from(([0_u16; 8], 0)),
        };
        let found = self.ask(address, nobody)?;
        Ok(held(found, &[LISTENING]))
    }

    /// Asks the kernel for the socket with these two addresses. `None` if there is none.
    fn ask(&mut self, near: SocketAddr, far: SocketAddr) -> io::Result<Option<Found>> {
        self.asked = self.asked.wrapping_add(1);
        send(
            &self.netlink,
            &question(self.asked, near, far),
            SendFlags::empty(),
        )?;
        let mut buffer = [0; 1_024];
        loop {
            // The answer is available as soon as the message was sent.
            let (_, length) = recv(&self.netlink, &mut buffer[..], RecvFlags::empty())?;
            let bytes = buffer.get(..length).unwrap_or_default();
            match answer(self.asked, bytes) {
                // This is a late answer to an earlier message.
                Answer::Another => {}
                Answer::Nobody => return Ok(None),
                Answer::Failed(error) => return Err(error),
                Answer::Found(found) => return Ok(Some(found)),
            }
        }
    }
}

impl SocketOwner {
    /// Whether the owner is the user of this process, or root. Nothing can be hidden from root anyway.
    pub(crate) fn is_us(self) -> bool {
        self.user == 0 || self.user == geteuid().as_raw()
    }

    /// A description of the owner for people: the name of the user if there is one, and the program if it can be found.
    /// The function is slow, because it reads many files.
    pub(crate) fn describe(self) -> String {
        match program(self.inode) {
            Some(program) => format!("{program} of {}", self.who()),
            None => self.who(),
        }
    }

    /// A description of the program that has the socket open, for people. It names the user only if that is not the
    /// user of this process. `None` if the socket belongs to this user and the program cannot be found. The function is
    /// as slow as [`SocketOwner::describe`].
    pub(crate) fn holder(self) -> Option<String> {
        let own = self.user == geteuid().as_raw();
        match program(self.inode) {
            Some(program) if own => Some(program),
            Some(program) => Some(format!("{program} of {}", self.who())),
            None if own => None,
            None => Some(format!("a program of {}", self.who())),
        }
    }

    fn who(self) -> String {
        let user = self.user;
        match nix::unistd::User::from_uid(user.into()) {
            Ok(Some(known)) => format!("{} (uid {user})", known.name),
            Ok(None) | Err(_) => format!("the user with uid {user}"),
        }
    }
}

/// The program that has the socket open. `None` if it cannot be found, for example because this process lacks the
/// permission.
fn program(inode: u32) -> Option<String> {
    let wanted = format!("socket:[{inode}]");
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    for process in processes.map(|entry| entry.path()) {
        let pid = process.file_name()?.to_str()?;
        if pid.parse::<u32>().is_err() {
            continue;
        }
        let files = std::fs::read_dir(process.join("fd")).into_iter().flatten();
        let mut links = files
            .flatten()
            .filter_map(|file| std::fs::read_link(file.path()).ok());
        if links.any(|link| link.as_os_str() == wanted.as_str()) {
            let name = std::fs::read_to_string(process.join("comm")).ok()?;
            return Some(format!("{} (process {pid})", escape(name.trim_end())));
        }
    }
    None
}

/// Whether every user has a number of its own in this user namespace.
fn all_users_have_numbers() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// A socket in the kernel's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    state: u8,
    owner: SocketOwner,
}

/// The owner, if the socket is in one of these states and a program has it open.
fn held(found: Option<Found>, states: &[u8]) -> Option<SocketOwner> {
    let found = found?;
    (states.contains(&found.state) && found.owner.inode != 0).then_some(found.owner)
}

enum Answer {
    Found(Found),
    Nobody,
    Failed(io::Error),
    /// The answer is for another message.
    Another,
}

/// The message that asks for the socket with these two addresses (`sock_diag(7)`).
fn question(number: u32, near: SocketAddr, far: SocketAddr) -> Vec<u8> {
    let length = HEADER + QUESTION;
    let mut bytes = Vec::with_capacity(length);
    let (near_ip, far_ip) = (near.ip().to_canonical(), far.ip().to_canonical());
    bytes.extend(u32::try_from(length).unwrap_or_default().to_ne_bytes());
    bytes.extend(BY_FAMILY.to_ne_bytes());
    bytes.extend(REQUEST.to_ne_bytes());
    bytes.extend(number.to_ne_bytes());
    bytes.extend(0_u32.to_ne_bytes());
    let family = if near_ip.is_ipv4() { INET } else { INET6 };
    bytes.extend([family, TCP, 0, 0]);
    // Sockets in all states.
    bytes.extend(u32::MAX.to_ne_bytes());
    bytes.extend(near.port().to_be_bytes());
    bytes.extend(far.port().to_be_bytes());
    for ip in [near_ip, far_ip] {
        let mut room = [0; 16];
        match ip {
            IpAddr::V4(ip) => room[..4].copy_from_slice(&ip.octets()),
            IpAddr::V6(ip) => room.copy_from_slice(&ip.octets()),
        }
        bytes.extend(room);
    }
    // The interface and the cookie are not known.
    bytes.extend(0_u32.to_ne_bytes());
    bytes.extend([0xff; 8]);
    bytes
}

/// Parses the kernel's answer.
fn answer(number: u32, bytes: &[u8]) -> Answer {
    let word = |at: usize| {
        let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_ne_bytes(bytes))
    };
    let malformed = || Answer::Failed(io::ErrorKind::InvalidData.into());
    let (Some(kind), Some(to)) = (bytes.get(4..6), word(8)) else {
        return malformed();
    };
    if to != number {
        return Answer::Another;
    }
    if kind == ERROR.to_ne_bytes() {
        let code = word(HEADER).map(u32::cast_signed);
        return match code
            .and_then(i32::checked_neg)
            .map(Errno::from_raw_os_error)
        {
            Some(Errno::NOENT) => Answer::Nobody,
            Some(error) => Answer::Failed(error.into()),
            None => malformed(),
        };
    }
    let at = HEADER + ANSWER - 8;
    match (bytes.get(HEADER + 1), word(at), word(at + 4)) {
        (Some(&state), Some(user), Some(inode)) if kind == BY_FAMILY.to_ne_bytes() => {
            let owner = SocketOwner { user, inode };
            Answer::Found(Found { state, owner })
        }
        _ => malformed(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_kernel_names_this_user_for_our_own_sockets_and_nobody_for_none() {
        let mut owners = SocketOwners::open().unwrap();
        for place in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(place).unwrap();
            let address = listener.local_addr().unwrap();
            let client = TcpStream::connect(address).unwrap();
            let (server, from) = listener.accept().unwrap();
            let owner = owners.of_client(from, address).unwrap().unwrap();
            assert_eq!(owner.user, geteuid().as_raw());
            assert!(owner.is_us());
            let told = owner.describe();
            let pid = format!("(process {})", std::process::id());
            assert!(told.contains(&pid) && told.contains("uid"), "{told}");
            let owner = owners.of_listener(address).unwrap();
            let holder = owner.unwrap().holder().unwrap();
            assert!(holder.ends_with(&pid), "{holder}");
            assert_eq!(owner.map(|owner| owner.user), Some(geteuid().as_raw()));
            // Nothing listens at the client's address. If the two addresses are exchanged, the kernel is asked for the
            // accepted socket, whose owner is known.
            assert_eq!(owners.of_listener(from).unwrap(), None);
            assert_eq!(
                owners.of_client(address, from).unwrap().map(|it| it.user),
                Some(geteuid().as_raw())
            );
            drop(client);
            assert_eq!(owners.of_client(from, address).unwrap(), None);
            drop((server, listener));
            assert_eq!(owners.of_listener(address).unwrap(), None);
        }
    }

    #[test]
    fn a_listener_on_all_addresses_has_each_of_them() {
        let mut owners = SocketOwners::open().unwrap();
        for place in ["0.0.0.0:0", "[::]:0"] {
            let listener = TcpListener::bind(place).unwrap();
            let port = listener.local_addr().unwrap().port();
            let address = SocketAddr::from(([127, 0, 42, 101], port));
            assert!(owners.of_listener(address).unwrap().is_some(), "{place}");
        }
    }

    #[test]
    fn a_socket_that_nobody_holds_is_nobodys_whatever_user_is_written_there() {
        let found = |state, inode| {
            let owner = SocketOwner { user: 0, inode };
            held(Some(Found { state, owner }), HELD_BY_A_PROGRAM)
        };
        assert!(found(1, 7).is_some());
        assert!(found(5, 0).is_none(), "closed by its program");
        // The states TIME_WAIT, CLOSE, SYN_RECV and LISTEN.
        for state in [6, 7, 3, 10] {
            assert!(found(state, 7).is_none(), "{state}");
        }
    }

    #[test]
    fn an_answer_counts_only_if_it_is_whole_and_ours() {
        let whole = {
            let mut bytes = vec![0; HEADER + ANSWER];
            bytes[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
            bytes[8..12].copy_from_slice(&7_u32.to_ne_bytes());
            bytes[HEADER + 1] = 1;
            bytes[HEADER + 64..HEADER + 68].copy_from_slice(&1001_u32.to_ne_bytes());
            bytes[HEADER + 68..HEADER + 72].copy_from_slice(&99_u32.to_ne_bytes());
            bytes
        };
        let owner = SocketOwner {
            user: 1001,
            inode: 99,
        };
        assert!(matches!(answer(7, &whole), Answer::Found(found) if found.owner == owner));
        assert!(matches!(answer(8, &whole), Answer::Another));
        for length in 0..whole.len() {
            assert!(
                matches!(answer(7, &whole[..length]), Answer::Failed(_)),
                "{length}"
            );
        }
        let error = |code: i32| {
            let mut bytes = whole[..HEADER + 4].to_vec();
            bytes[4..6].copy_from_slice(&ERROR.to_ne_bytes());
            bytes[HEADER..].copy_from_slice(&code.to_ne_bytes());
            bytes
        };
        assert!(matches!(answer(7, &error(-2)), Answer::Nobody));
        assert!(matches!(answer(7, &error(-1)), Answer::Failed(_)));
        assert!(matches!(answer(7, &error(i32::MIN)), Answer::Failed(_)));
    }

    #[test]
    fn a_question_has_the_size_that_the_kernel_wants() {
        let near = "127.0.0.1:258".parse().unwrap();
        let bytes = question(1, near, near);
        assert_eq!(bytes.len(), 72);
        assert_eq!(bytes[24..26], [1, 2], "ports are big-endian");
        let near = "[::1]:258".parse().unwrap();
        assert_eq!(question(1, near, near).len(), 72);
    }
}
