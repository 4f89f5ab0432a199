#pragma once
// The services beside a machine or container that hand out its credentials.

#include <optional>
#include <string>

#include "io/http.h"
#include "io/services.h"
#include "providers/aws/credentials.h"

namespace stsctl::providers::aws {

/// What a source of credentials gave: keys, or why it has none.
struct Answer {
  std::optional<Credentials> keys = {};
  std::string nothing = {};  ///< "AWS_ACCESS_KEY_ID is not set".
};

/// The credentials of an ECS task or EKS pod (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI,
/// with the token of AWS_CONTAINER_AUTHORIZATION_TOKEN or _FILE). A URI that is neither https nor
/// this machine nor one of AWS's own link-local addresses is not asked: Code::invalid. An Error
/// when the service is named and gives nothing.
Result<Answer> from_container(io::Http& http, io::Files& files, const io::Environment& env);

/// The credentials of the role attached to an EC2 instance, by version 2 of its metadata service,
/// asked once, for at most a second each time; never an Error: most machines are no instance.
Answer from_instance(io::Http& http, const io::Environment& env);

}  // namespace stsctl::providers::aws
