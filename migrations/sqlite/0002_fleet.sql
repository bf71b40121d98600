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
CREATE TABLE `run_pool` (
	`run_id` text NOT NULL,
	`phone_id` text NOT NULL,
	`position` integer NOT NULL,
	PRIMARY KEY(`run_id`, `phone_id`),
	FOREIGN KEY (`run_id`) REFERENCES `runs`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `run_pool_phone` ON `run_pool` (`phone_id`);--> statement-breakpoint
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
ALTER TABLE `phones` ADD `tags` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `runs` ADD `trigger_name` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `pooled` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `runs` ADD `shard` integer;--> statement-breakpoint
ALTER TABLE `runs` ADD `moves` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `runs` ADD `lane` text;--> statement-breakpoint
CREATE UNIQUE INDEX `runs_lane` ON `runs` (`lane`) WHERE "runs"."state" in ('leased', 'running');--> statement-breakpoint
CREATE INDEX `runs_turn` ON `runs` (`team_id`,`turn`);--> statement-breakpoint
CREATE INDEX `runs_fence` ON `runs` (`team_id`,`fence`);--> statement-breakpoint
CREATE INDEX `runs_waiting` ON `runs` (`state`,`created_at`);