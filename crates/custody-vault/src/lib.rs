//! Where keys and sealed texts that stand in no table are kept: wrapped keys, claim checks, parked records, holds, erasures.
//!
//! Responsible for: durable objects in a folder or on S3, key services (AWS KMS, a key file), bounded caches of unwrapped keys.
//! Knows no table, no log and no policy; text passes through it sealed only.
