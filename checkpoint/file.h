/* SPDX-License-Identifier: GPL-2.0-only */
/* Open file descriptions: what all kinds of them have in common. */
#ifndef _CHECKPOINT_FILE_H
#define _CHECKPOINT_FILE_H

#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/types.h>

#include "kind.h"

struct fs_struct;
struct files_struct;
struct path;

/* What of open(2)'s flags an open description goes on to have. */
#define CKPT_O_KNOWN \
	(O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC | __O_SYNC | O_DIRECT | \
	 O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME)

char *ckpt_path_find(struct ckpt_ctx *ctx, const struct path *path, char *buf);
int ckpt_path_reaches(const struct path *path);
int ckpt_path_write(struct ckpt_ctx *ctx, const char *name);
int ckpt_path_add(struct ckpt_ctx *ctx, const struct path *path);
int ckpt_path_add_deleted(struct ckpt_ctx *ctx, const struct path *path);

bool ckpt_path_is_deleted(const struct path *path);
bool ckpt_memdev_is_known(u32 major, u32 minor);
int ckpt_deleted_by(struct ckpt_ctx *ctx, struct file *via, u32 *ref);
int ckpt_deleted_refer(struct ckpt_ctx *ctx, const struct path *path, u32 *ref);
int ckpt_deleted_directory(struct ckpt_ctx *ctx, const struct path *path,
			   u32 *ref);

bool ckpt_path_of_deleted(struct inode *inode, struct path *path);
bool ckpt_inode_hold(struct inode *inode);
struct inode *ckpt_root_hold(struct super_block *sb);
void ckpt_inode_release(struct inode *inode);
char *ckpt_path_of_inode(struct ckpt_ctx *ctx, struct inode *inode, char *buf);
int ckpt_file_supported(struct ckpt_ctx *ctx, struct file *file);
int ckpt_file_users(void *obj);
void *ckpt_file_add(struct ckpt_ctx *ctx, struct file *file, u32 type,
		    size_t size);
void *ckpt_file_add_stat(struct ckpt_ctx *ctx, struct file *file, u32 type,
			 size_t size);
int ckpt_file_save(struct ckpt_ctx *ctx, struct file *file, u32 type);
int ckpt_file_check(struct rstr_ctx *ctx, struct rstr_obj *obj, umode_t type);
struct file *ckpt_file_open(struct rstr_obj *obj, const char *name);
int ckpt_file_open_at(struct rstr_ctx *ctx, struct rstr_obj *obj);
int ckpt_file_restore(struct rstr_ctx *ctx, struct rstr_obj *obj);

int ckpt_file_stat(struct file *file, struct ckpt_rec_stat *rec);
int ckpt_file_unchanged(struct rstr_ctx *ctx, struct rstr_obj *obj);
int ckpt_file_may_exec(struct file *file);
bool ckpt_file_has_home(struct file *file);

/* Descriptions that have no path. */
int ckpt_file_anon_check(struct rstr_ctx *ctx, struct rstr_obj *obj, u32 what);
int ckpt_file_anon_restore(struct rstr_obj *obj, const char *name,
			   const struct file_operations *fops, void *private);
void ckpt_file_set_flags(struct file *file, u32 flags);
int ckpt_file_owner(struct rstr_ctx *ctx, struct file *file, uid_t uid,
		    gid_t gid, umode_t mode);
void ckpt_files_close(struct rstr_obj *list);

/* What a file of no known kind is, for people. */
void ckpt_file_describe(const void *obj, char *buf, size_t len);

/* What is said of any description, once all else is there. */
int ckpt_file_remarks(struct ckpt_ctx *ctx, void *obj, u32 ref);
int ckpt_file_owner_save(struct ckpt_ctx *ctx, struct file *file, u32 ref);
int ckpt_file_lease_save(struct ckpt_ctx *ctx, struct file *file, u32 ref);
bool ckpt_file_has_lease(const struct file *file);
int ckpt_file_fd(struct rstr_ctx *ctx, __le32 file);

/* What the caller has named as external. */
int ckpt_file_is_external(struct ckpt_ctx *ctx, struct file *file);
const struct ckpt_kind *ckpt_file_claim(struct ckpt_ctx *ctx, void *obj);

/* Locks, of a description and of a table. */
int ckpt_file_locks_save(struct ckpt_ctx *ctx, struct file *file);
int ckpt_posix_locks_save(struct ckpt_ctx *ctx, struct files_struct *files,
			  struct file *file, unsigned int fd);
bool ckpt_file_has_locks(const struct file *file);
bool ckpt_file_has_posix_locks(struct files_struct *files,
			       const struct file *file);
int ckpt_file_lock_users(void *obj);
int ckpt_file_locks_restore(struct rstr_ctx *ctx, struct rstr_obj *obj);
int ckpt_posix_locks_restore(struct rstr_ctx *ctx, struct rstr_obj *obj);
extern const struct ckpt_part ckpt_file_lock_part;
extern const struct ckpt_part ckpt_posix_lock_part;

/* Its path, where a file is opened by that; and locks, if it may have them. */
extern const struct ckpt_part ckpt_file_path_part;
extern const struct ckpt_part *const ckpt_file_path_parts[];
extern const struct ckpt_part *const ckpt_file_parts[];

/* In drivers/tty/tty_io.c. */
bool ckpt_file_is_tty(const struct file *file);
/* In fs/signalfd.c. */
bool ckpt_file_is_signalfd(const struct file *file);

void ckpt_files_install(struct files_struct *files);
void ckpt_fs_install(struct fs_struct *fs);

#endif
