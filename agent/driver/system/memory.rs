//! Configures how the C library's allocator treats the buffers of flows. This is the only unsafe code of the program.

/// Makes the allocator request every large buffer directly from the operating system, and return it there.
///
/// The buffers of a flow are large and mostly untouched. Untouched pages cost nothing only if they come zeroed from the
/// operating system. After a block of such a size has been freed, glibc reuses its heap for that size instead: it would
/// then clear each buffer by hand, and an idle flow would cost a megabyte. musl, macOS and Windows need no such
/// setting.
pub(in crate::driver) fn keep_large_buffers_apart() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const LARGE: libc::c_int = 384 << 10;
        #[expect(
            unsafe_code,
            reason = "there is no safe way to configure the allocator"
        )]
        // SAFETY: mallopt takes two integers, may be called at any time from any thread, and does not change memory
        // that is in use. If it fails, the program only uses more memory.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        }
    }
}
