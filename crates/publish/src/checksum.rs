//! CRC-64/NVME, the full-object checksum of S3.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use crc_fast::{CrcAlgorithm, Digest};

/// The CRC-64/NVME and the length of a stream of bytes.
///
/// ```
/// let mut checksum = publish::Checksum::default();
/// checksum.update(b"123456789");
/// assert_eq!((checksum.n_bytes(), checksum.to_base64().as_str()), (9, "rosUhgp5mIg="));
/// ```
#[derive(Clone, Debug)]
pub struct Checksum {
    digest: Digest,
    n_bytes: u64,
}

impl Default for Checksum {
    fn default() -> Self {
        Self { digest: Digest::new(CrcAlgorithm::Crc64Nvme), n_bytes: 0 }
    }
}

impl Checksum {
    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.n_bytes += bytes.len() as u64;
    }

    /// Adds the bytes of `next` after these, from its checksum and length alone.
    pub fn append(&mut self, next: &Self) {
        let sum = multiply(self.digest.finalize(), power_of_256(next.n_bytes)) ^ next.digest.finalize();
        self.digest = Digest::new_with_init_state(CrcAlgorithm::Crc64Nvme, !sum);
        self.n_bytes += next.n_bytes;
    }

    /// Returns the number of bytes added.
    pub const fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// Returns the checksum in S3's form: eight big-endian bytes in base64.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.digest.finalize().to_be_bytes())
    }
}

// A CRC is a polynomial over GF(2): the remainder of the bytes' polynomial. Appending n bytes multiplies it by x to the
// power of 8n and adds the remainder of the appended bytes. The highest bit stands for x to the power of 0, as in the CRC
// itself. (crc-fast's `combine` uses matrices and takes 60 times as long, which is noticeable for chunks of the size of a
// core's cache.)

/// x to the power of 64, modulo the CRC's polynomial: 0xAD93D23594C93659, reflected.
const POLYNOMIAL: u64 = 0x9A6C_9329_AC4B_C9B5;

/// 256 to the powers of 1, 2, 4, 8 …, where 256 stands for x to the power of 8.
const SQUARES_OF_256: [u64; 64] = {
    let mut squares = [1 << (63 - 8); 64];
    let mut i = 1;
    while i < squares.len() {
        squares[i] = multiply(squares[i - 1], squares[i - 1]);
        i += 1;
    }
    squares
};

fn power_of_256(n: u64) -> u64 {
    let one = 1 << 63;
    (0..64).filter(|i| n >> i & 1 == 1).fold(one, |power, i| multiply(power, SQUARES_OF_256[i]))
}

/// The product of two polynomials, modulo [`POLYNOMIAL`].
const fn multiply(a: u64, mut b: u64) -> u64 {
    let mut product = 0;
    let mut i = 64;
    while i > 0 {
        i -= 1;
        // Masks instead of unpredictable branches.
        product ^= b & 0_u64.wrapping_sub(a >> i & 1);
        b = b >> 1 ^ POLYNOMIAL & 0_u64.wrapping_sub(b & 1);
    }
    product
}

#[cfg(test)]
mod tests {
    use super::Checksum;

    #[test]
    fn agrees_with_the_published_check_value() {
        let mut checksum = Checksum::default();
        checksum.update(b"1234");
        checksum.update(b"56789");
        // CRC-64/NVME of "123456789" is 0xAE8B14860A799888 (catalogue of parametrised CRC algorithms).
        assert_eq!(checksum.to_base64(), "rosUhgp5mIg=");
        assert_eq!(checksum.n_bytes(), 9);
    }

    #[test]
    fn appended_checksums_equal_the_checksum_of_the_whole() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let of = |bytes: &[u8]| {
            let mut checksum = Checksum::default();
            checksum.update(bytes);
            checksum
        };
        for border in [0, 1, 7, 8, 9, 4096, 65_537, 99_999, 100_000] {
            let mut sum = of(&bytes[..border]);
            sum.append(&of(&bytes[border..]));
            assert_eq!((sum.to_base64(), sum.n_bytes()), (of(&bytes).to_base64(), 100_000), "{border}");
            // Bytes after an appended checksum are added as well.
            sum.update(b"more");
            assert_eq!(sum.to_base64(), of(&[&bytes[..], b"more"].concat()).to_base64(), "{border}");
        }
    }
}
