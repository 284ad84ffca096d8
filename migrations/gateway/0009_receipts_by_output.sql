-- Whoever holds an output asks which receipt licensed it.
CREATE INDEX generations_by_output ON generations (output_digest);
