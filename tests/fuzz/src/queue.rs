//! What the queue and the reports keep on disk, as a damaged disk gives it back.

use squall_report::stored;

use crate::counters::Counters;
use crate::record::{ResultRecord, SampleRecord};
use crate::segment::FrameHeader;

/// Decodes every stored form; what is accepted must survive being stored again.
pub fn stored_forms(content: &[u8]) {
    if let Some(record) = SampleRecord::decode(content) {
        assert_eq!(SampleRecord::decode(&record.encode()), Some(record));
    }
    let _ = ResultRecord::decode(content);
    if let Some(header) = FrameHeader::decode(content) {
        assert_eq!(FrameHeader::decode(&header.encode()), Some(header));
        let _ = header.frame_len();
    }
    let _ = Counters::decode(content);
    if let Ok(submission) = stored::decode_submission(content) {
        let again = stored::decode_submission(&stored::encode_submission(&submission));
        assert_eq!(again.ok(), Some(submission));
    }
    let _ = stored::decode_result(content);
    // The checksum at the end keeps nearly everything out; behind it the fields
    // are to be safe as well.
    let sealed = content
        .iter()
        .fold(crate::codec::Encoder::default(), |record, byte| {
            record.u8(*byte)
        });
    let sealed = sealed.seal();
    let _ = SampleRecord::decode(&sealed);
    let _ = ResultRecord::decode(&sealed);
    let _ = FrameHeader::decode(&sealed).and_then(|header| header.frame_len());
    let _ = Counters::decode(&sealed);
}
