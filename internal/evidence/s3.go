package evidence

import (
	"bytes"
	"context"
	"io"
	"net/url"
	"path"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"lianqin/internal/fault"
)

// S3Config is where an S3 finds its objects.
type S3Config struct {
	Endpoint string // http:// or https://, without a path; empty is Amazon's
	Region   string // empty is asked for
	Bucket   string
	Prefix   string // of the names of objects, such as lianqin/files; may be empty
	// Credentials is a file as AWS's tools have it. Without one they are in
	// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
	Credentials string
}

// S3 is Storage in a bucket of S3 or what speaks like it.
type S3 struct {
	client         *minio.Client
	bucket, prefix string
}

// s3Tries is how often a request is tried: who waits for it waits at a page.
const s3Tries = 3

// OpenS3 finds the bucket. It is Invalid for an endpoint that is none, NotFound
// when there is no such bucket, and Unavailable when it cannot be reached or
// entered.
func OpenS3(ctx context.Context, cfg S3Config) (*S3, error) {
	host, secure := "s3.amazonaws.com", true
	if cfg.Endpoint != "" {
		at, err := url.Parse(cfg.Endpoint)
		if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" || at.Path != "" && at.Path != "/" || at.User != nil {
			return nil, fault.InvalidField("s3-endpoint", "%q is not http:// or https:// and a host", cfg.Endpoint)
		}
		host, secure = at.Host, at.Scheme == "https"
	}
	keys := credentials.NewEnvAWS()
	if cfg.Credentials != "" {
		keys = credentials.NewFileAWSCredentials(cfg.Credentials, "")
	}
	if v, err := keys.GetWithContext(nil); err != nil || v.AccessKeyID == "" || v.SecretAccessKey == "" {
		return nil, fault.InvalidField("s3-credentials", "no access key and secret in %s", orEnvironment(cfg.Credentials))
	}
	client, err := minio.New(host, &minio.Options{Creds: keys, Secure: secure, Region: cfg.Region, MaxRetries: s3Tries})
	if err != nil {
		return nil, fault.InvalidField("s3-endpoint", "%w", err)
	}
	s := &S3{client, cfg.Bucket, cfg.Prefix}
	there, err := client.BucketExists(ctx, cfg.Bucket)
	switch {
	case err != nil:
		return nil, fault.New(fault.Unavailable, "bucket %s of %s: %w", cfg.Bucket, host, err)
	case !there:
		return nil, fault.New(fault.NotFound, "there is no bucket %s at %s", cfg.Bucket, host)
	}
	return s, nil
}

func orEnvironment(file string) string {
	if file == "" {
		return "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
	}
	return file
}

// Close implements Storage.
func (s *S3) Close() error { return nil }

func (s *S3) key(name string) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	return path.Join(s.prefix, name), nil
}

// Put implements Storage.
func (s *S3) Put(ctx context.Context, name string, data []byte) error {
	key, err := s.key(name)
	if err != nil {
		return err
	}
	_, err = s.client.PutObject(ctx, s.bucket, key, bytes.NewReader(data), int64(len(data)),
		minio.PutObjectOptions{ContentType: "application/octet-stream", DisableMultipart: true}) // nobody is to open it there
	if err != nil {
		return fault.New(fault.Unavailable, "file %s cannot be kept: %w", name, err)
	}
	return nil
}

// Open implements Storage. Reading fetches what is read alone.
func (s *S3) Open(ctx context.Context, name string) (io.ReadSeekCloser, error) {
	key, err := s.key(name)
	if err != nil {
		return nil, err
	}
	o, err := s.client.GetObject(ctx, s.bucket, key, minio.GetObjectOptions{})
	if err == nil {
		if _, err = o.Stat(); err == nil {
			return o, nil
		}
		_ = o.Close() // it was never read
	}
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return nil, fault.New(fault.NotFound, "there is no file %s in storage", name)
	}
	return nil, fault.New(fault.Unavailable, "file %s cannot be read: %w", name, err)
}

// Delete implements Storage.
func (s *S3) Delete(ctx context.Context, name string) error {
	key, err := s.key(name)
	if err != nil {
		return err
	}
	if err := s.client.RemoveObject(ctx, s.bucket, key, minio.RemoveObjectOptions{}); err != nil && minio.ToErrorResponse(err).Code != minio.NoSuchKey {
		return fault.New(fault.Unavailable, "file %s cannot be removed: %w", name, err)
	}
	return nil
}
