//! CRC-64/NVME, the checksum that S3 itself keeps for a whole object.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use crc_fast::{CrcAlgorithm, Digest};

/// Checksum and length of a stream of bytes.
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
    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.n_bytes += bytes.len() as u64;
    }

    /// How many bytes have been taken in.
    pub const fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// The checksum as S3 writes it: eight bytes from the highest, in base64.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.digest.finalize().to_be_bytes())
    }
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
}
