//! Gives this process a network namespace of its own without privileges, if the operating system permits that.

use std::io;

/// Moves this process into a new network namespace that has only a loopback interface. The process must not have
/// started threads yet. All processes that it starts later are in the same namespace.
///
/// This works only on Linux, and only if users without privileges may create user namespaces.
pub(in crate::driver) fn enter() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    return linux::enter();
    #[cfg(not(target_os = "linux"))]
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "only Linux has networks of this kind",
    ))
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{fs, io};

    use nix::sched::{CloneFlags, unshare};
    use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, recv, send, socket};

    pub(super) fn enter() -> io::Result<()> {
        let user = rustix::process::geteuid().as_raw();
        let group = rustix::process::getegid().as_raw();
        // The user namespace gives the permission to create the network namespace.
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)?;
        // The maps below give this user and group the same ids inside the namespace as outside, so that the owners of
        // files stay the same. The kernel accepts the map of groups only from a process that cannot drop groups
        // (user_namespaces(7)).
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
        fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
        raise_loopback()
    }

    /// The message types and flags of netlink(7) and rtnetlink(7).
    const NLMSG_ERROR: u16 = 2;
    const RTM_NEWLINK: u16 = 16;
    const NLM_F_REQUEST_AND_ACK: u16 = 1 | 4;
    /// The index of the loopback interface in every network namespace.
    const LOOPBACK_INDEX: i32 = 1;
    const IFF_UP: u32 = 1;

    /// Sets the loopback interface up, as `ip link set lo up` does.
    fn raise_loopback() -> io::Result<()> {
        // A netlink socket without an address is connected to the kernel. Protocol 0 is for routes and links.
        let kernel = socket(AddressFamily::NETLINK, SocketType::RAW, None)?;
        send(&kernel, &raise(LOOPBACK_INDEX), SendFlags::empty())?;
        let mut answer = [0; 256];
        let (_, length) = recv(&kernel, &mut answer, RecvFlags::empty())?;
        match error_of(&answer[..length]) {
            Some(0) => Ok(()),
            Some(error) => Err(io::Error::from_raw_os_error(-error)),
            None => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// The request that sets an interface up: `struct nlmsghdr` followed by `struct ifinfomsg`, in the byte order of
    /// the machine.
    fn raise(interface: i32) -> Vec<u8> {
        const LENGTH: u32 = 32;
        let mut message = Vec::new();
        message.extend(LENGTH.to_ne_bytes());
        message.extend(RTM_NEWLINK.to_ne_bytes());
        message.extend(NLM_F_REQUEST_AND_ACK.to_ne_bytes());
        // The sequence number, and the sender's address, which the kernel fills in.
        message.extend([0; 8]);
        // The address family and the interface type, both unspecified.
        message.extend([0; 4]);
        message.extend(interface.to_ne_bytes());
        message.extend(IFF_UP.to_ne_bytes());
        // The mask of the flags to change: only `IFF_UP`.
        message.extend(IFF_UP.to_ne_bytes());
        message
    }

    /// The result in the kernel's answer: 0, or a negative error number.
    fn error_of(answer: &[u8]) -> Option<i32> {
        let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
        let error = i32::from_ne_bytes(answer.get(16..20)?.try_into().ok()?);
        (kind == NLMSG_ERROR).then_some(error)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_request_is_as_long_as_it_says() {
            let request = raise(7);
            assert_eq!(request.len(), 32);
            assert_eq!(request[..4], 32_u32.to_ne_bytes());
        }

        #[test]
        fn an_answer_that_is_cut_short_says_nothing() {
            let mut answer = [0_u8; 36];
            answer[4..6].copy_from_slice(&NLMSG_ERROR.to_ne_bytes());
            answer[16..20].copy_from_slice(&(-1_i32).to_ne_bytes());
            assert_eq!(error_of(&answer), Some(-1));
            assert_eq!(error_of(&answer[..18]), None);
            answer[4] = 99;
            assert_eq!(error_of(&answer), None);
        }
    }
}
