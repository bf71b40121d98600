CREATE TABLE `announcements` (
	`id` text PRIMARY KEY NOT NULL,
	`level` text NOT NULL,
	`text` text NOT NULL,
	`from` integer NOT NULL,
	`until` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `announcements_until` ON `announcements` (`until`);--> statement-breakpoint
CREATE TABLE `backups` (
	`name` text PRIMARY KEY NOT NULL,
	`node` text NOT NULL,
	`started_at` integer NOT NULL,
	`files` integer,
	`bytes` integer,
	`rows` integer,
	`verified_at` integer,
	`failure` text
);
--> statement-breakpoint
CREATE INDEX `backups_started` ON `backups` (`started_at`);--> statement-breakpoint
CREATE TABLE `faults` (
	`hour` integer NOT NULL,
	`place` text NOT NULL,
	`code` text NOT NULL,
	`count` integer NOT NULL,
	`reference` text,
	`last_at` integer NOT NULL,
	PRIMARY KEY(`hour`, `place`, `code`)
);
--> statement-breakpoint
CREATE TABLE `nodes` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`boot` text NOT NULL,
	`role` text NOT NULL,
	`address` text,
	`certificate` text,
	`region` text NOT NULL,
	`version` text NOT NULL,
	`capacity` integer NOT NULL,
	`draining` text,
	`started_at` integer NOT NULL,
	`heartbeat_at` integer NOT NULL,
	`ended_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `nodes_name` ON `nodes` (`name`);--> statement-breakpoint
CREATE TABLE `phone_archives` (
	`phone_id` text PRIMARY KEY NOT NULL,
	`archive` text NOT NULL,
	`archived_at` integer NOT NULL,
	FOREIGN KEY (`phone_id`) REFERENCES `phones`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `phone_copies` (
	`phone_id` text NOT NULL,
	`team_id` text NOT NULL,
	`node_id` text NOT NULL,
	`since` integer NOT NULL,
	`forgotten_at` integer,
	PRIMARY KEY(`phone_id`, `node_id`),
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `phone_copies_node` ON `phone_copies` (`node_id`);--> statement-breakpoint
CREATE INDEX `phone_copies_team` ON `phone_copies` (`team_id`);--> statement-breakpoint
ALTER TABLE `abuse_decisions` ADD `team_id` text;--> statement-breakpoint
ALTER TABLE `abuse_decisions` ADD `why` text;--> statement-breakpoint
CREATE INDEX `abuse_decisions_team` ON `abuse_decisions` (`team_id`);--> statement-breakpoint
ALTER TABLE `erasure_fence` ADD `teams` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `identities` ADD `checked_at` integer;--> statement-breakpoint
ALTER TABLE `identities` ADD `password_changed_at` integer;--> statement-breakpoint
CREATE INDEX `identities_checked` ON `identities` (`provider`,`checked_at`);--> statement-breakpoint
ALTER TABLE `phones` ADD `node_id` text;--> statement-breakpoint
CREATE INDEX `phones_started` ON `phones` (`started_at`) WHERE "phones"."started_at" is not null;--> statement-breakpoint
CREATE INDEX `phones_node` ON `phones` (`node_id`,`state`);--> statement-breakpoint
ALTER TABLE `teams` ADD `suspended_at` integer;--> statement-breakpoint
ALTER TABLE `users` ADD `suspended_at` integer;--> statement-breakpoint
CREATE INDEX `connect_codes_user` ON `connect_codes` (`user_id`);--> statement-breakpoint
CREATE INDEX `connect_codes_team` ON `connect_codes` (`team_id`);--> statement-breakpoint
CREATE INDEX `jobs_created` ON `jobs` (`created_at`,`kind`);--> statement-breakpoint
CREATE INDEX `mail_outbox_recipient` ON `mail_outbox` (`recipient_index`);--> statement-breakpoint
CREATE INDEX `recordings_flow` ON `recordings` (`flow_id`);--> statement-breakpoint
CREATE INDEX `runs_flow` ON `runs` (`flow_id`);--> statement-breakpoint
CREATE INDEX `stream_tickets_phone` ON `stream_tickets` (`phone_id`);--> statement-breakpoint
CREATE INDEX `stream_tickets_person` ON `stream_tickets` (`user_id`);--> statement-breakpoint
CREATE INDEX `uploads_state` ON `uploads` (`state`);--> statement-breakpoint
CREATE INDEX `webhooks_flow` ON `webhooks` (`flow_id`);