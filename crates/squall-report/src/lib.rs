//! Pure renderings of a finding: JSON of both API generations, log lines, and the stored form.
