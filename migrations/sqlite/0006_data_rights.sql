CREATE TABLE `activity_days` (
	`day` text NOT NULL,
	`action` text NOT NULL,
	`plan` text NOT NULL,
	`region` text NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`day`, `action`, `plan`, `region`)
);
--> statement-breakpoint
CREATE TABLE `billing_records` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text,
	`number` text NOT NULL,
	`country` text NOT NULL,
	`issued_at` integer NOT NULL,
	`legal_until` integer NOT NULL,
	`currency` text NOT NULL,
	`net` integer NOT NULL,
	`tax` integer NOT NULL,
	`lines` text NOT NULL,
	`bill_to` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `billing_records_number` ON `billing_records` (`number`);--> statement-breakpoint
CREATE INDEX `billing_records_team` ON `billing_records` (`team_id`);--> statement-breakpoint
CREATE INDEX `billing_records_until` ON `billing_records` (`legal_until`);--> statement-breakpoint
CREATE TABLE `data_exports` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`request_id` text,
	`state` text NOT NULL,
	`asked_at` integer NOT NULL,
	`ready_at` integer,
	`expires_at` integer,
	`rows` integer DEFAULT 0 NOT NULL,
	`rows_expected` integer DEFAULT 0 NOT NULL,
	`bytes` integer,
	`downloads` integer DEFAULT 0 NOT NULL,
	`failure` text,
	`sealed_key` text,
	`ticket_hash` text,
	`ticket_expires_at` integer,
	`idempotency_key` text NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `data_exports_key` ON `data_exports` (`user_id`,`idempotency_key`);--> statement-breakpoint
CREATE UNIQUE INDEX `data_exports_ticket` ON `data_exports` (`ticket_hash`);--> statement-breakpoint
CREATE INDEX `data_exports_expiry` ON `data_exports` (`expires_at`);--> statement-breakpoint
CREATE INDEX `data_exports_asked` ON `data_exports` (`asked_at`);--> statement-breakpoint
CREATE TABLE `data_requests` (
	`id` text PRIMARY KEY NOT NULL,
	`number` text NOT NULL,
	`kind` text NOT NULL,
	`channel` text NOT NULL,
	`state` text NOT NULL,
	`reason` text,
	`user_id` text,
	`email` text,
	`email_index` text,
	`text` text,
	`answer` text,
	`verify_hash` text,
	`verified_at` integer,
	`received_at` integer NOT NULL,
	`entered_at` integer NOT NULL,
	`due_at` integer NOT NULL,
	`acknowledged_at` integer,
	`reminded_day` integer DEFAULT 0 NOT NULL,
	`closed_at` integer,
	`receipt` text,
	`idempotency_key` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `data_requests_number` ON `data_requests` (`number`);--> statement-breakpoint
CREATE UNIQUE INDEX `data_requests_key` ON `data_requests` (`user_id`,`idempotency_key`);--> statement-breakpoint
CREATE UNIQUE INDEX `data_requests_verify` ON `data_requests` (`verify_hash`);--> statement-breakpoint
CREATE INDEX `data_requests_due` ON `data_requests` (`state`,`due_at`);--> statement-breakpoint
CREATE INDEX `data_requests_email_index` ON `data_requests` (`email_index`);--> statement-breakpoint
CREATE INDEX `data_requests_closed` ON `data_requests` (`closed_at`);--> statement-breakpoint
CREATE TABLE `erasure_fence` (
	`subject` text PRIMARY KEY NOT NULL,
	`since` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `erasure_fence_since` ON `erasure_fence` (`since`);--> statement-breakpoint
CREATE TABLE `erasure_steps` (
	`erasure_id` text NOT NULL,
	`store` text NOT NULL,
	`position` integer NOT NULL,
	`state` text NOT NULL,
	`before` integer,
	`after` integer,
	`attempts` integer DEFAULT 0 NOT NULL,
	`first_tried_at` integer,
	`done_at` integer,
	`kept_until` integer,
	PRIMARY KEY(`erasure_id`, `store`),
	FOREIGN KEY (`erasure_id`) REFERENCES `erasures`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `erasures` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text,
	`request_id` text,
	`state` text NOT NULL,
	`asked_at` integer NOT NULL,
	`purge_at` integer NOT NULL,
	`done_at` integer,
	`choices` text,
	`undo_hash` text,
	`certificate_hash` text,
	`certificate` text,
	`idempotency_key` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `erasures_open` ON `erasures` (`user_id`) WHERE "erasures"."state" in ('grace', 'purging');--> statement-breakpoint
CREATE UNIQUE INDEX `erasures_undo` ON `erasures` (`undo_hash`);--> statement-breakpoint
CREATE UNIQUE INDEX `erasures_certificate` ON `erasures` (`certificate_hash`);--> statement-breakpoint
CREATE INDEX `erasures_due` ON `erasures` (`state`,`purge_at`);--> statement-breakpoint
CREATE INDEX `erasures_done` ON `erasures` (`done_at`);--> statement-breakpoint
CREATE INDEX `erasures_person` ON `erasures` (`user_id`);--> statement-breakpoint
CREATE TABLE `incident_people` (
	`incident_id` text NOT NULL,
	`user_id` text NOT NULL,
	`categories` text NOT NULL,
	`told` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`incident_id`, `user_id`),
	FOREIGN KEY (`incident_id`) REFERENCES `incidents`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `incident_people_user` ON `incident_people` (`user_id`);--> statement-breakpoint
CREATE INDEX `incident_people_told` ON `incident_people` (`incident_id`,`told`);--> statement-breakpoint
CREATE TABLE `incidents` (
	`id` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`drill` integer NOT NULL,
	`title` text NOT NULL,
	`aware_at` integer NOT NULL,
	`from` integer,
	`to` integer,
	`scope` text,
	`what` text,
	`consequences` text,
	`measures` text,
	`todo` text,
	`authority_told_at` integer,
	`alarmed_hour` integer DEFAULT 0 NOT NULL,
	`people_count` integer,
	`closed_at` integer
);
--> statement-breakpoint
CREATE TABLE `metric_cells` (
	`day` text NOT NULL,
	`metric` text NOT NULL,
	`driver` text NOT NULL,
	`plan` text NOT NULL,
	`value` integer NOT NULL,
	PRIMARY KEY(`day`, `metric`, `driver`, `plan`)
);
--> statement-breakpoint
CREATE TABLE `policy_notices` (
	`version` integer NOT NULL,
	`user_id` text NOT NULL,
	`queued_at` integer NOT NULL,
	`mailed_at` integer,
	`mail_failed_at` integer,
	`shown_at` integer,
	`acknowledged_at` integer,
	`objected_at` integer,
	PRIMARY KEY(`version`, `user_id`),
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `policy_notices_person` ON `policy_notices` (`user_id`);--> statement-breakpoint
CREATE TABLE `policy_versions` (
	`version` integer PRIMARY KEY NOT NULL,
	`announced_at` integer NOT NULL,
	`noticed_at` integer,
	`effective_at` integer
);
--> statement-breakpoint
CREATE TABLE `privacy_preferences` (
	`user_id` text PRIMARY KEY NOT NULL,
	`restricted_at` integer,
	`left_metrics_at` integer,
	`changed_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `statements` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`category` text NOT NULL,
	`text` text NOT NULL,
	`at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `statements_user` ON `statements` (`user_id`);--> statement-breakpoint
DROP INDEX `connect_codes_expiry`;--> statement-breakpoint
CREATE INDEX `connect_codes_created` ON `connect_codes` (`created_at`);--> statement-breakpoint
DROP INDEX `team_invitations_email`;--> statement-breakpoint
ALTER TABLE `team_invitations` ADD `email_index` text;--> statement-breakpoint
CREATE INDEX `team_invitations_email_index` ON `team_invitations` (`email_index`);--> statement-breakpoint
CREATE INDEX `team_invitations_created` ON `team_invitations` (`created_at`);--> statement-breakpoint
CREATE INDEX `team_invitations_inviter` ON `team_invitations` (`invited_by`);--> statement-breakpoint
CREATE INDEX `team_invitations_accepter` ON `team_invitations` (`accepted_by`);--> statement-breakpoint
DROP INDEX `users_email_live`;--> statement-breakpoint
ALTER TABLE `users` ADD `email_index` text;--> statement-breakpoint
ALTER TABLE `users` ADD `last_seen_at` integer;--> statement-breakpoint
ALTER TABLE `users` ADD `inactive_notice` integer;--> statement-breakpoint
ALTER TABLE `users` ADD `inactive_deletion_at` integer;--> statement-breakpoint
CREATE UNIQUE INDEX `users_email_index_live` ON `users` (`email_index`) WHERE "users"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX `users_seen` ON `users` (`last_seen_at`);--> statement-breakpoint
ALTER TABLE `audit_heads` ADD `start` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `audit_heads` ADD `start_hash` text;--> statement-breakpoint
ALTER TABLE `mail_outbox` ADD `recipient_index` text;--> statement-breakpoint
CREATE INDEX `mail_outbox_person` ON `mail_outbox` (`user_id`);--> statement-breakpoint
ALTER TABLE `support_requests` ADD `email_index` text;--> statement-breakpoint
CREATE INDEX `support_requests_received` ON `support_requests` (`received_at`);--> statement-breakpoint
CREATE INDEX `api_tokens_expiry` ON `api_tokens` (`expires_at`);--> statement-breakpoint
CREATE INDEX `api_tokens_revoked` ON `api_tokens` (`revoked_at`);--> statement-breakpoint
CREATE INDEX `api_tokens_person` ON `api_tokens` (`created_by`);--> statement-breakpoint
CREATE INDEX `abuse_decisions_created` ON `abuse_decisions` (`created_at`);--> statement-breakpoint
CREATE INDEX `flows_person` ON `flows` (`created_by`);--> statement-breakpoint
CREATE INDEX `jobs_finished` ON `jobs` (`finished_at`);--> statement-breakpoint
CREATE INDEX `phones_person` ON `phones` (`created_by`);--> statement-breakpoint
CREATE INDEX `recordings_updated` ON `recordings` (`updated_at`);--> statement-breakpoint
CREATE INDEX `recordings_team` ON `recordings` (`team_id`);--> statement-breakpoint
CREATE INDEX `rules_person` ON `rules` (`saved_by`);--> statement-breakpoint
CREATE INDEX `runs_detailed` ON `runs` (`created_at`) WHERE "runs"."source" <> '';--> statement-breakpoint
CREATE INDEX `runs_finished` ON `runs` (`finished_at`);--> statement-breakpoint
CREATE INDEX `runs_person` ON `runs` (`created_by`);--> statement-breakpoint
CREATE INDEX `secret_grants_person` ON `secret_grants` (`granted_by`);--> statement-breakpoint
CREATE INDEX `secrets_person` ON `secrets` (`created_by`);--> statement-breakpoint
CREATE INDEX `sessions_seen` ON `sessions` (`seen_at`);--> statement-breakpoint
CREATE INDEX `sessions_open` ON `sessions` (`idle_expires_at`) WHERE "sessions"."ended_at" is null;--> statement-breakpoint
CREATE INDEX `sessions_team` ON `sessions` (`team_id`);--> statement-breakpoint
CREATE INDEX `suites_person` ON `suites` (`created_by`);--> statement-breakpoint
CREATE INDEX `webhooks_person` ON `webhooks` (`created_by`);--> statement-breakpoint
CREATE INDEX `workspace_files_person` ON `workspace_files` (`created_by`);