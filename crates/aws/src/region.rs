//! AWS partitions (`aws`, `aws-cn`, `aws-us-gov`), the second component of every ARN.

/// Returns the AWS partition of `region`, as written in ARNs.
pub fn partition_of(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}
