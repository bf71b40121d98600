DROP INDEX `connect_codes_expiry`;--> statement-breakpoint
CREATE INDEX `connect_codes_created` ON `connect_codes` (`created_at`);--> statement-breakpoint
ALTER TABLE `audit_heads` ADD `start` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `audit_heads` ADD `start_hash` text;--> statement-breakpoint
ALTER TABLE `users` ADD `last_seen_at` integer;--> statement-breakpoint
ALTER TABLE `users` ADD `inactive_notice` integer;--> statement-breakpoint
ALTER TABLE `users` ADD `inactive_deletion_at` integer;--> statement-breakpoint
CREATE INDEX `users_seen` ON `users` (`last_seen_at`);--> statement-breakpoint
CREATE INDEX `api_tokens_expiry` ON `api_tokens` (`expires_at`);--> statement-breakpoint
CREATE INDEX `api_tokens_revoked` ON `api_tokens` (`revoked_at`);--> statement-breakpoint
CREATE INDEX `data_exports_asked` ON `data_exports` (`asked_at`);--> statement-breakpoint
CREATE INDEX `data_requests_closed` ON `data_requests` (`closed_at`);--> statement-breakpoint
CREATE INDEX `abuse_decisions_created` ON `abuse_decisions` (`created_at`);--> statement-breakpoint
CREATE INDEX `erasure_fence_since` ON `erasure_fence` (`since`);--> statement-breakpoint
CREATE INDEX `erasures_done` ON `erasures` (`done_at`);--> statement-breakpoint
CREATE INDEX `jobs_finished` ON `jobs` (`finished_at`);--> statement-breakpoint
CREATE INDEX `recordings_updated` ON `recordings` (`updated_at`);--> statement-breakpoint
CREATE INDEX `runs_detailed` ON `runs` (`created_at`) WHERE "runs"."source" <> '';--> statement-breakpoint
CREATE INDEX `runs_finished` ON `runs` (`finished_at`);--> statement-breakpoint
CREATE INDEX `sessions_seen` ON `sessions` (`seen_at`);--> statement-breakpoint
CREATE INDEX `sessions_open` ON `sessions` (`idle_expires_at`) WHERE "sessions"."ended_at" is null;--> statement-breakpoint
CREATE INDEX `team_invitations_created` ON `team_invitations` (`created_at`);