CREATE TABLE `file_contents` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`bytes` integer NOT NULL,
	`content` blob NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `file_contents_team` ON `file_contents` (`team_id`);--> statement-breakpoint
CREATE TABLE `recording_steps` (
	`recording_id` text NOT NULL,
	`seq` integer NOT NULL,
	`changed` integer NOT NULL,
	`removed_at` integer,
	`data` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`recording_id`, `seq`),
	FOREIGN KEY (`recording_id`) REFERENCES `recordings`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `recording_steps_changed` ON `recording_steps` (`recording_id`,`changed`);--> statement-breakpoint
CREATE TABLE `recordings` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`created_by` text NOT NULL,
	`phone_id` text NOT NULL,
	`state` text NOT NULL,
	`note` text,
	`start_url` text,
	`flow_id` text,
	`event_seq` integer NOT NULL,
	`state_seq` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`created_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`flow_id`) REFERENCES `flows`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE UNIQUE INDEX `recordings_running` ON `recordings` (`phone_id`) WHERE "recordings"."state" = 'recording';--> statement-breakpoint
CREATE INDEX `recordings_person` ON `recordings` (`created_by`,`updated_at`);--> statement-breakpoint
CREATE TABLE `rule_starts` (
	`rule_id` text NOT NULL,
	`dedupe_key` text NOT NULL,
	`run_id` text NOT NULL,
	`way` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`rule_id`, `dedupe_key`),
	FOREIGN KEY (`rule_id`) REFERENCES `rules`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`run_id`) REFERENCES `runs`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `rule_starts_run` ON `rule_starts` (`run_id`);--> statement-breakpoint
CREATE INDEX `rule_starts_at` ON `rule_starts` (`rule_id`,`at`);--> statement-breakpoint
CREATE TABLE `rules` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`saved_by` text,
	`rule` text NOT NULL,
	`revision` integer NOT NULL,
	`failures` integer NOT NULL,
	`paused_at` integer,
	`next_at` integer,
	`refusal` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`saved_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE INDEX `rules_team` ON `rules` (`team_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `rules_next` ON `rules` (`next_at`);--> statement-breakpoint
CREATE TABLE `run_files` (
	`run_id` text NOT NULL,
	`path` text NOT NULL,
	`content` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`run_id`, `path`),
	FOREIGN KEY (`run_id`) REFERENCES `runs`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`content`) REFERENCES `file_contents`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `run_files_content` ON `run_files` (`content`);--> statement-breakpoint
CREATE TABLE `run_pool` (
	`run_id` text NOT NULL,
	`phone_id` text NOT NULL,
	`position` integer NOT NULL,
	PRIMARY KEY(`run_id`, `phone_id`),
	FOREIGN KEY (`run_id`) REFERENCES `runs`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `run_pool_phone` ON `run_pool` (`phone_id`);--> statement-breakpoint
CREATE TABLE `secret_grants` (
	`secret_id` text NOT NULL,
	`flow_id` text NOT NULL,
	`granted_by` text,
	`text_hash` text NOT NULL,
	`granted_at` integer NOT NULL,
	PRIMARY KEY(`secret_id`, `flow_id`),
	FOREIGN KEY (`secret_id`) REFERENCES `secrets`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`flow_id`) REFERENCES `flows`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`granted_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE INDEX `secret_grants_flow` ON `secret_grants` (`flow_id`);--> statement-breakpoint
CREATE TABLE `secrets` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`created_by` text,
	`name` text NOT NULL,
	`value` text NOT NULL,
	`created_at` integer NOT NULL,
	`changed_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`created_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE UNIQUE INDEX `secrets_name` ON `secrets` (`team_id`,`name`);--> statement-breakpoint
CREATE TABLE `suites` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`created_by` text,
	`path` text NOT NULL,
	`phone_id` text NOT NULL,
	`stops_within` integer NOT NULL,
	`idempotency_key` text NOT NULL,
	`request_hash` text NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`created_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE UNIQUE INDEX `suites_key` ON `suites` (`team_id`,`idempotency_key`);--> statement-breakpoint
CREATE INDEX `suites_created` ON `suites` (`created_at`);--> statement-breakpoint
CREATE TABLE `webhook_calls` (
	`webhook_id` text NOT NULL,
	`signature` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`webhook_id`, `signature`),
	FOREIGN KEY (`webhook_id`) REFERENCES `webhooks`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `webhook_calls_at` ON `webhook_calls` (`at`);--> statement-breakpoint
CREATE TABLE `webhooks` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`created_by` text,
	`name` text NOT NULL,
	`flow_id` text NOT NULL,
	`phone` text NOT NULL,
	`may_use_secrets` integer NOT NULL,
	`secret` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`created_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null,
	FOREIGN KEY (`flow_id`) REFERENCES `flows`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `webhooks_team` ON `webhooks` (`team_id`,`created_at`);--> statement-breakpoint
CREATE TABLE `workspace_files` (
	`team_id` text NOT NULL,
	`path` text NOT NULL,
	`content` text NOT NULL,
	`bytes` integer NOT NULL,
	`created_by` text,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`team_id`, `path`),
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`content`) REFERENCES `file_contents`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`created_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE INDEX `workspace_files_content` ON `workspace_files` (`content`);--> statement-breakpoint
ALTER TABLE `flows` ADD `path` text;--> statement-breakpoint
CREATE UNIQUE INDEX `flows_path` ON `flows` (`team_id`,`path`);--> statement-breakpoint
ALTER TABLE `phones` ADD `tags` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `run_artifacts` ADD `baseline` text;--> statement-breakpoint
ALTER TABLE `run_steps` ADD `file` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `path` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `own_files` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `runs` ADD `suite_id` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `part` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `trigger_name` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `pooled` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `runs` ADD `shard` integer;--> statement-breakpoint
ALTER TABLE `runs` ADD `moves` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `runs` ADD `lane` text;--> statement-breakpoint
CREATE UNIQUE INDEX `runs_lane` ON `runs` (`lane`) WHERE "runs"."state" in ('leased', 'running');--> statement-breakpoint
CREATE INDEX `runs_turn` ON `runs` (`team_id`,`turn`);--> statement-breakpoint
CREATE INDEX `runs_fence` ON `runs` (`team_id`,`fence`);--> statement-breakpoint
CREATE INDEX `runs_waiting` ON `runs` (`state`,`created_at`);--> statement-breakpoint
CREATE INDEX `runs_suite` ON `runs` (`suite_id`);