//! How the C library's allocator treats the buffers of flows. The only unsafe code of the program.

/// Makes the allocator take every large buffer from the operating system and give it back there.
///
/// The buffers of a flow are large and mostly untouched, which costs nothing only as long as their pages come fresh and
/// zeroed. glibc stops doing that for a size once such a block has been freed; from then on it would clear each buffer
/// by hand, and an idle flow would cost a megabyte. musl, macOS and Windows need no such word.
pub(in crate::driver) fn keep_large_buffers_apart() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const LARGE: libc::c_int = 384 << 10;
        #[expect(
            unsafe_code,
            reason = "there is no safe way to configure the allocator"
        )]
        // SAFETY: mallopt takes two integers, may be called at any time from any thread, and changes nothing about
        // memory that has been handed out. If it refuses, memory is only used less well.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        }
    }
}
