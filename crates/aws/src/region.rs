//! Partitions of AWS (`aws`, `aws-cn`, `aws-us-gov`), which begin every ARN.

/// Returns the partition of AWS that `region` belongs to, as ARNs name it.
pub fn partition_of(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}
