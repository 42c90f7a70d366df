/**
 * draft: its meaning is still being agreed, nothing is pinned to it. active: new metadata may be pinned to it. deprecated: what is
 * pinned to it may still be patched. revoked: it was wrong; what is pinned to it can be read and migrated, no more.
 */
export type SchemaState = 'draft' | 'active' | 'deprecated' | 'revoked';
