//! Amazon S3: buckets and objects. Every request names the account that must own the bucket.

pub mod bucket_api;
pub mod bucket_settings;
pub mod objects;
pub mod upload;
