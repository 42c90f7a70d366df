/** Canonical: what people and systems of record say. Derived: what programs made of content, and can make again. */
export type MetadataLayer = 'canonical' | 'derived';
