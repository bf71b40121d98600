CREATE TABLE `android_devices` (
	`id` text PRIMARY KEY NOT NULL,
	`endpoint` text NOT NULL,
	`label` text NOT NULL,
	`region` text,
	`phone_id` text,
	`added_at` integer NOT NULL,
	FOREIGN KEY (`phone_id`) REFERENCES `phones`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE UNIQUE INDEX `android_devices_endpoint` ON `android_devices` (`endpoint`);--> statement-breakpoint
CREATE UNIQUE INDEX `android_devices_phone` ON `android_devices` (`phone_id`);--> statement-breakpoint
CREATE TABLE `partner_charges` (
	`id` text PRIMARY KEY NOT NULL,
	`vendor_id` text NOT NULL,
	`charge_type` integer NOT NULL,
	`amount` text NOT NULL,
	`used_minutes` integer NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `partner_charges_phone` ON `partner_charges` (`vendor_id`,`at`);--> statement-breakpoint
CREATE INDEX `partner_charges_at` ON `partner_charges` (`at`);--> statement-breakpoint
CREATE TABLE `partner_hints` (
	`hash` text PRIMARY KEY NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `partner_hints_at` ON `partner_hints` (`at`);--> statement-breakpoint
CREATE TABLE `partner_locks` (
	`path` text PRIMARY KEY NOT NULL,
	`until` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `partner_locks_until` ON `partner_locks` (`until`);--> statement-breakpoint
CREATE TABLE `partner_phones` (
	`phone_id` text PRIMARY KEY NOT NULL,
	`vendor_id` text,
	`vendor_state` text,
	`created_at` integer NOT NULL,
	`removed_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `partner_phones_vendor` ON `partner_phones` (`vendor_id`);--> statement-breakpoint
CREATE INDEX `partner_phones_removed` ON `partner_phones` (`removed_at`);--> statement-breakpoint
CREATE TABLE `partner_strays` (
	`vendor_id` text PRIMARY KEY NOT NULL,
	`seen_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `partner_strays_seen` ON `partner_strays` (`seen_at`);--> statement-breakpoint
CREATE TABLE `phone_containers` (
	`phone_id` text PRIMARY KEY NOT NULL,
	`host_id` text NOT NULL,
	`volume` text NOT NULL,
	`image` text NOT NULL,
	`created_at` integer NOT NULL,
	`made_at` integer,
	FOREIGN KEY (`phone_id`) REFERENCES `phones`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`host_id`) REFERENCES `phone_hosts`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `phone_containers_host` ON `phone_containers` (`host_id`);--> statement-breakpoint
CREATE TABLE `phone_hosts` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`address` text NOT NULL,
	`cert_folder` text,
	`region` text NOT NULL,
	`capacity` integer NOT NULL,
	`draining` integer NOT NULL,
	`added_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `phone_hosts_name` ON `phone_hosts` (`name`);--> statement-breakpoint
CREATE TABLE `uploads` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`created_by` text NOT NULL,
	`phone_id` text NOT NULL,
	`purpose` text NOT NULL,
	`name` text NOT NULL,
	`bytes` integer NOT NULL,
	`received` integer NOT NULL,
	`state` text NOT NULL,
	`message` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`created_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`phone_id`) REFERENCES `phones`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `uploads_phone` ON `uploads` (`phone_id`);--> statement-breakpoint
CREATE INDEX `uploads_team` ON `uploads` (`team_id`);--> statement-breakpoint
CREATE INDEX `uploads_person` ON `uploads` (`created_by`);--> statement-breakpoint
CREATE INDEX `uploads_created` ON `uploads` (`created_at`);--> statement-breakpoint
ALTER TABLE `phones` ADD `model` text;--> statement-breakpoint
ALTER TABLE `phones` ADD `screen_width` integer;--> statement-breakpoint
ALTER TABLE `phones` ADD `screen_height` integer;--> statement-breakpoint
ALTER TABLE `phones` ADD `unreachable_since` integer;