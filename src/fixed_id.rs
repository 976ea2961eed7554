//! Names of fixed length: bytes for a store, base64url for logs.

/// Defines everything of such a name except its constructors.
macro_rules! bytes_type {
    ($name:ident, $len:literal) => {
        impl $name {
            /// Returns the bytes, for a store to keep.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut out = [0_u8; 24];
                let text = base64_simd::URL_SAFE_NO_PAD
                    .encode_as_str(&self.0, base64_simd::Out::from_slice(&mut out));
                f.write_str(text)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

pub(crate) use bytes_type;
